import type { Interval } from "../../metrics/interval.js";
import type { Comparison, RunComparison } from "../compareRun.js";

/** Numbers of a comparison that get an interval, as `latency.statistic`, and where each stands. */
export const COMPARED_NUMBERS = {
  "e2eMs.mean": (metrics) => metrics.e2eMs.mean,
  "e2eMs.p50": (metrics) => metrics.e2eMs.p50,
  "e2eMs.p90": (metrics) => metrics.e2eMs.p90,
  "e2eMs.p99": (metrics) => metrics.e2eMs.p99,
  "ttftMs.mean": (metrics) => metrics.ttftMs.mean,
  "ttftMs.p50": (metrics) => metrics.ttftMs.p50,
  "ttftMs.p90": (metrics) => metrics.ttftMs.p90,
  "ttftMs.p99": (metrics) => metrics.ttftMs.p99,
  "itlMs.mean": (metrics) => metrics.itlMs.mean,
  "itlMs.p50": (metrics) => metrics.itlMs.p50,
  "itlMs.p90": (metrics) => metrics.itlMs.p90,
  "itlMs.p99": (metrics) => metrics.itlMs.p99,
  outputTokensPerS: (metrics) => metrics.outputTokensPerS,
} as const satisfies Record<string, (metrics: RunComparison["metrics"]) => Comparison>;
export type ComparedNumber = keyof typeof COMPARED_NUMBERS;
export const COMPARED_NAMES = Object.keys(COMPARED_NUMBERS) as ComparedNumber[];

/** The interval of a prediction, and whether the measured number lies in it. */
export interface PredictionInterval extends Interval {
  readonly covers: boolean;
}

/** Intervals of one evaluated run; null where there is no prediction or nothing was measured. */
export type PredictionIntervals = Readonly<Record<ComparedNumber, PredictionInterval | null>>;
