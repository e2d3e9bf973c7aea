import type { Interval } from "../../src/core/metrics/interval.js";
import { studentT975, tInterval } from "../../src/core/metrics/tInterval.js";

/** A way to a 95 % interval of a mean from one series of values that hang together, in order. */
export type IntervalMethod = (values: readonly number[]) => Interval | null;

/** Ways to an interval from one run, by name. @see Law, Simulation Modeling and Analysis, 9.5.3 */
export const INTERVAL_METHODS: Readonly<Record<string, IntervalMethod>> = {
  "20 batches": (values) => batchMeans(values, 20),
  "8 batches": (values) => batchMeans(values, 8),
  "uncorrelated batches": uncorrelatedBatches,
  "overlapping batches": overlappingBatches,
  "initial sequence": initialSequence,
};

function batchMeans(values: readonly number[], numBatches: number): Interval | null {
  return tInterval(meansOf(values, numBatches));
}

const MOST_BATCHES = 64;
const FEWEST_BATCHES = 8;
/** 80 % point of the standard normal distribution: batches are halved in number while their correlation is beyond it. */
const NORMAL_80 = 0.8416;

/** Halves the number of batches until neighbours look uncorrelated, by von Neumann's ratio. */
function uncorrelatedBatches(values: readonly number[]): Interval | null {
  let numBatches = MOST_BATCHES;
  while (numBatches > FEWEST_BATCHES) {
    const scale = Math.sqrt((numBatches ** 2 - 1) / (numBatches - 2));
    if (lagOneCorrelation(meansOf(values, numBatches)) * scale < NORMAL_80) break;
    numBatches /= 2;
  }
  return batchMeans(values, numBatches);
}

const OVERLAPPING_FRACTION = 0.1;

/** Meketon and Schmeiser's overlapping batches of a tenth of the run. */
function overlappingBatches(values: readonly number[]): Interval | null {
  const n = values.length;
  const size = Math.floor(n * OVERLAPPING_FRACTION);
  const mean = meanOf(values);
  let sum = values.slice(0, size).reduce((total, value) => total + value, 0);
  let squares = (sum / size - mean) ** 2;
  for (let i = size; i < n; i++) {
    sum += values[i]! - values[i - size]!;
    squares += (sum / size - mean) ** 2;
  }
  const variance = ((n * size) / ((n - size) * (n - size + 1))) * squares;
  return about(mean, studentT975(Math.round(1.5 * (n / size - 1))) * Math.sqrt(variance / n));
}

/** Geyer's initial monotone sequence: autocovariances in pairs until these are no longer positive. */
function initialSequence(values: readonly number[]): Interval | null {
  const mean = meanOf(values);
  const { variance, variancesTime } = initialSequenceVariance(values);
  const independent = values.length / variancesTime;
  return about(mean, studentT975(Math.max(1, Math.round(independent / 3))) * Math.sqrt(variance / values.length));
}

/** Asymptotic variance, and how many values are worth one independent one. */
export function initialSequenceVariance(values: readonly number[]): { variance: number; variancesTime: number } {
  const mean = meanOf(values);
  const n = values.length;
  const deviations = values.map((value) => value - mean);
  const covariance = (lag: number) => {
    let sum = 0;
    for (let i = 0; i + lag < n; i++) sum += deviations[i]! * deviations[i + lag]!;
    return sum / n;
  };
  const own = covariance(0);
  if (own === 0) return { variance: 0, variancesTime: 1 };
  let total = -own;
  let last = Number.POSITIVE_INFINITY;
  for (let lag = 0; lag + 1 < n; lag += 2) {
    const pair = Math.min(last, covariance(lag) + covariance(lag + 1));
    if (pair <= 0) break;
    total += 2 * pair;
    last = pair;
  }
  const variance = Math.max(total, own);
  return { variance, variancesTime: variance / own };
}

function meansOf(values: readonly number[], numBatches: number): number[] {
  const start = (batch: number) => Math.round((batch * values.length) / numBatches);
  return Array.from({ length: numBatches }, (_, i) => meanOf(values.slice(start(i), start(i + 1))));
}

function lagOneCorrelation(values: readonly number[]): number {
  const mean = meanOf(values);
  let squares = 0;
  let products = 0;
  for (let i = 0; i < values.length; i++) {
    squares += (values[i]! - mean) ** 2;
    if (i > 0) products += (values[i]! - mean) * (values[i - 1]! - mean);
  }
  return squares === 0 ? 0 : products / squares;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function about(mean: number, half: number): Interval {
  return { low: mean - half, high: mean + half };
}
