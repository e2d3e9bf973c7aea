import { firstAtLeast, mergeSorted, sortedNumbers, sortPairs } from "./weightedValues.js";

/** Summary of a set of numbers; every field but `count` is null when the set is empty. Percentiles interpolate linearly. */
export interface Distribution {
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** Population standard deviation. */
  readonly stddev: number | null;
  /** Values summarised; Σ of the weights when they are weighted. */
  readonly count: number;
}

/** The distribution of nothing. */
export const EMPTY_DISTRIBUTION: Distribution = {
  mean: null,
  p50: null,
  p90: null,
  p95: null,
  p99: null,
  min: null,
  max: null,
  stddev: null,
  count: 0,
};

/**
 * Summarises finite values, each counted once. NaN marks a value that does not exist and is left out.
 * Sums run over the sorted values, so the order of the input does not change a single bit. O(n log n), input untouched.
 */
export function distribution(values: ArrayLike<number>): Distribution {
  return distributionOfSorted(sortedNumbers(values));
}

/** @param sorted ascending, without NaN */
export function distributionOfSorted(sorted: Float64Array): Distribution {
  const count = sorted.length;
  if (count === 0) return EMPTY_DISTRIBUTION;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += sorted[i]!;
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (sorted[i]! - mean) ** 2;
  return {
    mean,
    p50: sortedPercentile(sorted, 0.5),
    p90: sortedPercentile(sorted, 0.9),
    p95: sortedPercentile(sorted, 0.95),
    p99: sortedPercentile(sorted, 0.99),
    min: sorted[0]!,
    max: sorted[count - 1]!,
    stddev: Math.sqrt(squares / count),
    count,
  };
}

/**
 * Quantile with linear interpolation between order statistics, as numpy's default.
 * @param sorted ascending, at least one value
 * @param fraction 0–1
 */
export function sortedPercentile(sorted: ArrayLike<number>, fraction: number): number {
  const position = fraction * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (position - below);
}

/**
 * Summarises values that each stand for `weights[i]` equal observations: the same numbers as
 * `distribution` of the repeated values, without repeating them.
 * @param weights integers ≥ 0, parallel to `values`; a value of weight 0 is left out, as is NaN
 */
export function repeatedDistribution(values: ArrayLike<number>, weights: ArrayLike<number>): Distribution {
  const sorted = sortPairs(new Float64Array(values), new Float64Array(weights));
  return repeatedDistributionOfSorted(sorted.values, sorted.weights);
}

/** @param sorted ascending, without NaN; overwritten, as are its weights */
export function repeatedDistributionOfSorted(sorted: Float64Array, weights: Float64Array): Distribution {
  let numKept = 0;
  for (let i = 0; i < sorted.length; i++) {
    if (!(weights[i]! > 0)) continue;
    sorted[numKept] = sorted[i]!;
    weights[numKept++] = weights[i]!;
  }
  const merged = mergeSorted(sorted.subarray(0, numKept), weights.subarray(0, numKept));
  const numDistinct = merged.values.length;
  if (numDistinct === 0) return EMPTY_DISTRIBUTION;
  let count = 0;
  let sum = 0;
  for (let i = 0; i < numDistinct; i++) {
    count += merged.weights[i]!;
    sum += merged.weights[i]! * merged.values[i]!;
  }
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < numDistinct; i++) squares += merged.weights[i]! * (merged.values[i]! - mean) ** 2;
  /** Repeated values up to and including each distinct one, in the place of the weights. */
  const cumulative = merged.weights;
  for (let i = 1; i < numDistinct; i++) cumulative[i]! += cumulative[i - 1]!;
  const percentile = (fraction: number) => repeatedPercentile(merged.values, cumulative, fraction);
  return {
    mean,
    p50: percentile(0.5),
    p90: percentile(0.9),
    p95: percentile(0.95),
    p99: percentile(0.99),
    min: merged.values[0]!,
    max: merged.values[numDistinct - 1]!,
    stddev: Math.sqrt(squares / count),
    count,
  };
}

/**
 * `sortedPercentile` of values that each stand for several equal observations.
 * @param values ascending, at least one
 * @param cumulative observations up to and including each value, integers
 */
export function repeatedPercentile(values: Float64Array, cumulative: Float64Array, fraction: number): number {
  const count = cumulative[cumulative.length - 1]!;
  /** The value at a 0-based rank among the observations. */
  const atRank = (rank: number): number => values[firstAtLeast(cumulative, rank + 1)]!;
  const position = fraction * (count - 1);
  const below = Math.floor(position);
  const low = atRank(below);
  return low + (atRank(Math.min(below + 1, count - 1)) - low) * (position - below);
}
