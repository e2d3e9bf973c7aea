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
  const sorted = sortedWithoutNan(values);
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
 * @param weights integers ≥ 0, parallel to `values`; a value of weight 0 is left out
 */
export function repeatedDistribution(values: ArrayLike<number>, weights: ArrayLike<number>): Distribution {
  const order = sortedOrder(values, weights);
  if (order.length === 0) return EMPTY_DISTRIBUTION;
  let count = 0;
  let sum = 0;
  const cumulative = new Float64Array(order.length);
  for (let k = 0; k < order.length; k++) {
    const i = order[k]!;
    count += weights[i]!;
    sum += weights[i]! * values[i]!;
    cumulative[k] = count;
  }
  const mean = sum / count;
  let squares = 0;
  for (const i of order) squares += weights[i]! * (values[i]! - mean) ** 2;
  /** The value at a 0-based rank among the repeated values. */
  const atRank = (rank: number): number => values[order[firstAbove(cumulative, rank)]!]!;
  const percentile = (fraction: number): number => {
    const position = fraction * (count - 1);
    const below = Math.floor(position);
    const low = atRank(below);
    return low + (atRank(Math.min(below + 1, count - 1)) - low) * (position - below);
  };
  return {
    mean,
    p50: percentile(0.5),
    p90: percentile(0.9),
    p95: percentile(0.95),
    p99: percentile(0.99),
    min: atRank(0),
    max: atRank(count - 1),
    stddev: Math.sqrt(squares / count),
    count,
  };
}

function sortedWithoutNan(values: ArrayLike<number>): Float64Array {
  const sorted = new Float64Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isNaN(value)) sorted[count++] = value;
  }
  return sorted.subarray(0, count).sort();
}

/** Indices of the values that count, by value. */
function sortedOrder(values: ArrayLike<number>, weights: ArrayLike<number>): Uint32Array {
  const order = new Uint32Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (weights[i]! > 0 && !Number.isNaN(values[i]!)) order[count++] = i;
  }
  return order.subarray(0, count).sort((a, b) => values[a]! - values[b]! || a - b);
}

/** Index of the first entry greater than `limit` in an ascending array whose last entry is. */
function firstAbove(ascending: Float64Array, limit: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
