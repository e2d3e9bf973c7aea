/** Search ends when the rates that bracket the answer are this close, as a ratio. */
export const RATE_TOLERANCE = 1.02;

/** Rates below this share of the first guess are not looked for: the server holds its SLO at no load worth the name. */
const MIN_SHARE = 1 / 1024;
/** Times the first guess may be exceeded: it is the throughput of a closed loop, which no open loop exceeds by much. */
const MAX_GROWTH = 16;

/** Where a property of a rate ends, as far as trials told. */
export interface RateBracket<T> {
  /** Highest rate at which it held, with what that trial gave; null = at none. */
  readonly held: { readonly ratePerS: number; readonly trial: T } | null;
  /** Lowest rate at which it did not hold; null = at none tried. */
  readonly failed: { readonly ratePerS: number; readonly trial: T } | null;
  readonly numTrials: number;
}

/**
 * The highest rate at which a property holds that holds below some rate and not above it, by bisection in the logarithm.
 * A property that changes more than once ends at one of its changes.
 * @param firstPerS where to begin, > 0; the better the guess, the fewer trials
 */
export async function highestRate<T>(
  firstPerS: number,
  tryRate: (ratePerS: number) => Promise<T>,
  holds: (trial: T) => boolean,
): Promise<RateBracket<T>> {
  let held: RateBracket<T>["held"] = null;
  let failed: RateBracket<T>["failed"] = null;
  let numTrials = 0;
  let ratePerS = firstPerS;
  while (ratePerS >= MIN_SHARE * firstPerS && ratePerS <= MAX_GROWTH * firstPerS) {
    const trial = await tryRate(ratePerS);
    numTrials++;
    if (holds(trial)) held = { ratePerS, trial };
    else failed = { ratePerS, trial };
    if (held === null) ratePerS /= 2;
    else if (failed === null) ratePerS *= 2;
    else if (failed.ratePerS <= RATE_TOLERANCE * held.ratePerS) break;
    else ratePerS = Math.sqrt(held.ratePerS * failed.ratePerS);
  }
  return { held, failed, numTrials };
}
