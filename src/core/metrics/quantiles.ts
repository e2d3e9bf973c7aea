import { repeatedPercentile, sortedPercentile } from "./distribution.js";
import { mergeEqualValues, sortedNumbers } from "./weightedValues.js";

/** A distribution drawn: its value at 0 %, 1 %, …, 100 %, so `[101]`, ascending; the last is the greatest value. */
export type Quantiles = readonly number[];

const NUM_INTERVALS = 100;
const FRACTIONS = Array.from({ length: NUM_INTERVALS + 1 }, (_, percent) => percent / NUM_INTERVALS);

/** Quantiles of values, NaN left out; null when none is left. */
export function quantiles(values: ArrayLike<number>): Quantiles | null {
  const sorted = sortedNumbers(values);
  return sorted.length === 0 ? null : FRACTIONS.map((fraction) => sortedPercentile(sorted, fraction));
}

/**
 * Quantiles of values that each stand for `weights[i]` equal observations.
 * @param weights integers ≥ 0, parallel to `values`
 */
export function repeatedQuantiles(values: ArrayLike<number>, weights: ArrayLike<number>): Quantiles | null {
  const kept = Array.from(values).flatMap((_, i) => (weights[i]! > 0 ? [i] : []));
  const merged = mergeEqualValues({
    values: Float64Array.from(kept, (i) => values[i]!),
    weights: Float64Array.from(kept, (i) => weights[i]!),
  });
  if (merged.values.length === 0) return null;
  let numObservations = 0;
  const cumulative = merged.weights.map((weight) => {
    numObservations += weight;
    return numObservations;
  });
  return FRACTIONS.map((fraction) => repeatedPercentile(merged.values, cumulative, fraction));
}
