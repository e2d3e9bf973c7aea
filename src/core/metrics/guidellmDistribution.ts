import { type MergedValues, mergeEqualValues, type WeightedValues } from "./weightedValues.js";

/** GuideLLM's percentile keys: `p001` is 0.1 %, `p01` 1 %, `p999` 99.9 %. */
export const GUIDELLM_PERCENTILES = {
  p001: 0.001,
  p01: 0.01,
  p05: 0.05,
  p10: 0.1,
  p25: 0.25,
  p50: 0.5,
  p75: 0.75,
  p90: 0.9,
  p95: 0.95,
  p99: 0.99,
  p999: 0.999,
} as const;

export type GuidellmPercentile = keyof typeof GUIDELLM_PERCENTILES;

/** A distribution with GuideLLM's field names and rules; all zeros when empty. */
export interface GuidellmDistribution {
  readonly mean: number;
  readonly median: number;
  readonly mode: number;
  readonly variance: number;
  readonly std_dev: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly total_sum: number;
  readonly percentiles: Readonly<Record<GuidellmPercentile, number>>;
  readonly pdf: null;
}

/**
 * Summarises weighted values as GuideLLM ≥ 0.4 does: equal values merge, weights become probabilities, and a
 * percentile is the first value whose cumulative probability reaches it (nearest rank, no interpolation).
 * Variance is the population's; the mode is the most probable value, the smallest on a tie.
 * @param count what to report as `count`; by default the rounded sum of weights
 */
export function guidellmDistribution(input: WeightedValues, count?: number): GuidellmDistribution {
  const { values, weights } = positiveWeights(input);
  let totalWeight = 0;
  for (let i = 0; i < values.length; i++) totalWeight += weights[i]!;
  const reportedCount = count ?? Math.round(totalWeight);
  if (values.length === 0) return emptyGuidellmDistribution(reportedCount);
  let mean = 0;
  let modeIndex = 0;
  for (let i = 0; i < values.length; i++) {
    mean += (values[i]! * weights[i]!) / totalWeight;
    if (weights[i]! > weights[modeIndex]!) modeIndex = i;
  }
  let variance = 0;
  for (let i = 0; i < values.length; i++) variance += ((values[i]! - mean) ** 2 * weights[i]!) / totalWeight;
  const percentiles = nearestRanks(values, weights, totalWeight);
  return {
    mean,
    median: percentiles.p50,
    mode: values[modeIndex]!,
    variance,
    std_dev: Math.sqrt(variance),
    min: values[0]!,
    max: values[values.length - 1]!,
    count: reportedCount,
    total_sum: mean * reportedCount,
    percentiles,
    pdf: null,
  };
}

/** GuideLLM's way to say that there is nothing: zeros. */
export function emptyGuidellmDistribution(count = 0): GuidellmDistribution {
  const zeros = Object.fromEntries(Object.keys(GUIDELLM_PERCENTILES).map((key) => [key, 0]));
  return {
    mean: 0,
    median: 0,
    mode: 0,
    variance: 0,
    std_dev: 0,
    min: 0,
    max: 0,
    count,
    total_sum: 0,
    percentiles: zeros as Record<GuidellmPercentile, number>,
    pdf: null,
  };
}

function nearestRanks(
  values: Float64Array,
  weights: Float64Array,
  totalWeight: number,
): Record<GuidellmPercentile, number> {
  const result: Partial<Record<GuidellmPercentile, number>> = {};
  let index = 0;
  let cumulative = weights[0]! / totalWeight;
  for (const key of Object.keys(GUIDELLM_PERCENTILES) as GuidellmPercentile[]) {
    const fraction = GUIDELLM_PERCENTILES[key];
    while (cumulative < fraction && index < values.length - 1) cumulative += weights[++index]! / totalWeight;
    result[key] = values[index]!;
  }
  return result as Record<GuidellmPercentile, number>;
}

/** Values ascending and distinct, their weights added up; without those whose weight is 0. */
function positiveWeights(input: WeightedValues): MergedValues {
  const { values, weights } = mergeEqualValues(input);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (!(weights[i]! > 0)) continue;
    values[count] = values[i]!;
    weights[count++] = weights[i]!;
  }
  return { values: values.subarray(0, count), weights: weights.subarray(0, count) };
}
