/** Search ends when the rates that bracket the answer are this close, as a ratio. */
export const RATE_TOLERANCE = 1.02;

/** What rounding adds to the ratio of two rates that are one step of `RATE_TOLERANCE` apart. */
const ROUNDING = 1 + 1e-12;

/** Rates below this share of the first guess are not looked for: the server holds its SLO at no load worth the name. */
const MIN_SHARE = 1 / 1024;
/** Times the first guess may be exceeded: it is the throughput of a closed loop, which no open loop exceeds by much. */
const MAX_GROWTH = 16;
/** Factor from one rate to the next until the answer is bracketed, at most. */
const MAX_STEP = 2;

/** Where a search begins. */
export interface FirstRate {
  /** The better the guess, the fewer trials. > 0. */
  readonly ratePerS: number;
  /** Factor to the second rate, > 1; each further one is the square of the one before, up to `MAX_STEP`. */
  readonly step: number;
}

/** Where a property of a rate ends, as far as trials told. */
export interface RateBracket<T> {
  /** Highest rate at which it held, with what that trial gave; null = at none. */
  readonly held: { readonly ratePerS: number; readonly trial: T } | null;
  /** Lowest rate at which it did not hold; null = at none tried. */
  readonly failed: { readonly ratePerS: number; readonly trial: T } | null;
  readonly numTrials: number;
}

/**
 * The highest rate at which a property holds that holds below some rate and not above it: steps until both sides are known,
 * then bisection in the logarithm.
 * A property that changes more than once ends at one of its changes.
 */
export async function highestRate<T>(
  { ratePerS: firstPerS, step: firstStep }: FirstRate,
  tryRate: (ratePerS: number) => Promise<T>,
  holds: (trial: T) => boolean,
): Promise<RateBracket<T>> {
  let held: RateBracket<T>["held"] = null;
  let failed: RateBracket<T>["failed"] = null;
  let numTrials = 0;
  let ratePerS = firstPerS;
  let step = firstStep;
  while (ratePerS >= MIN_SHARE * firstPerS && ratePerS <= MAX_GROWTH * firstPerS) {
    const trial = await tryRate(ratePerS);
    numTrials++;
    if (holds(trial)) held = { ratePerS, trial };
    else failed = { ratePerS, trial };
    if (held !== null && failed !== null) {
      if (failed.ratePerS <= RATE_TOLERANCE * ROUNDING * held.ratePerS) break;
      ratePerS = Math.sqrt(held.ratePerS * failed.ratePerS);
    } else {
      ratePerS *= held === null ? 1 / step : step;
      step = Math.min(MAX_STEP, step * step);
    }
  }
  return { held, failed, numTrials };
}
