import { US_PER_S } from "../../units/units.js";
import type { RequestPair } from "./pairRequests.js";

const NUM_BINS = 48;
/** Share of a change that the window holds: most of it. */
const WINDOW_SHARE = 0.5;
/** Changes both ways leave less than this of themselves: what is left then has no place of its own. */
const LEAST_NET_FRACTION = 0.5;

/** Change of a latency over the time at which requests were sent. */
export interface ChangeTimeline {
  /** Start of the first bin and length of each, s. */
  readonly startS: number;
  readonly binS: number;
  /** Requests sent in each bin, `[numBins]`. */
  readonly numRequests: readonly number[];
  /** Mean change of these, ms; null where there was none. × `numRequests`, they add up to the change of all. */
  readonly meanMs: readonly (number | null)[];
  /** Where most of the change lies; null where changes both ways cancel for the better part. */
  readonly window: ChangeWindow | null;
}

/** The shortest stretch of time whose requests hold at least half of the whole change. */
export interface ChangeWindow {
  readonly fromS: number;
  readonly toS: number;
  /** Of the change of all requests; above 1 where the rest changed the other way. */
  readonly share: number;
  /** Of the timeline's length. A change that is the same all the time has its half in half of it. */
  readonly timeFraction: number;
}

/**
 * Bins the change of each pair by its arrival.
 * @param pairs at least one, in order of arrival
 * @param changeMs change of a pair's latency, never NaN
 */
export function changeTimeline(pairs: readonly RequestPair[], changeMs: (pair: RequestPair) => number): ChangeTimeline {
  const startUs = pairs[0]!.arrivalUs;
  const spanUs = pairs[pairs.length - 1]!.arrivalUs - startUs;
  const numBins = spanUs > 0 ? NUM_BINS : 1;
  const numRequests = new Array<number>(numBins).fill(0);
  const sumsMs = new Array<number>(numBins).fill(0);
  for (const pair of pairs) {
    const place = spanUs > 0 ? Math.floor(((pair.arrivalUs - startUs) / spanUs) * numBins) : 0;
    const bin = Math.min(place, numBins - 1);
    numRequests[bin]! += 1;
    sumsMs[bin]! += changeMs(pair);
  }
  const startS = startUs / US_PER_S;
  const binS = spanUs / US_PER_S / numBins;
  const found = changeWindow(sumsMs);
  return {
    startS,
    binS,
    numRequests,
    meanMs: sumsMs.map((sumMs, bin) => (numRequests[bin] === 0 ? null : sumMs / numRequests[bin]!)),
    window: found && {
      fromS: startS + found.from * binS,
      toS: startS + found.to * binS,
      share: found.share,
      timeFraction: (found.to - found.from) / numBins,
    },
  };
}

/**
 * The fewest consecutive numbers that add up to half of the whole or more; of equally few, those that hold most of it.
 * @returns half-open bounds, or null where the whole is less than half of what its parts are without their signs
 */
export function changeWindow(
  values: readonly number[],
): { readonly from: number; readonly to: number; readonly share: number } | null {
  const whole = values.reduce((sum, value) => sum + value, 0);
  const gross = values.reduce((sum, value) => sum + Math.abs(value), 0);
  if (whole === 0 || Math.abs(whole) < LEAST_NET_FRACTION * gross) return null;
  for (let length = 1; length <= values.length; length++) {
    let best = { from: 0, to: length, share: Number.NEGATIVE_INFINITY };
    for (let from = 0; from + length <= values.length; from++) {
      let sum = 0;
      for (let i = from; i < from + length; i++) sum += values[i]!;
      if (sum / whole > best.share) best = { from, to: from + length, share: sum / whole };
    }
    if (best.share >= WINDOW_SHARE) return best;
  }
  return { from: 0, to: values.length, share: 1 };
}
