import { createServer, type Deployment } from "../../engine/createServer.js";
import { runServer } from "../../engine/simulate.js";
import { type Interval, interval80 } from "../../metrics/interval.js";
import { type Comparison, compareRun, type RunComparison } from "../compareRun.js";
import type { ReplayedRun, ServerRunConfig } from "../evaluateRun.js";
import { replayWorkload } from "../replayRun.js";
import { perturbDeployment, UNCERTAINTY_SOURCES, type UncertaintySource } from "./perturbDeployment.js";
import { PossibleWorld } from "./possibleWorld.js";

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

/**
 * Intervals for the predictions of one measured run: the same requests in each possible world. Whatever is compared in
 * one world is compared in the others, so the measured side stays what it is.
 * @throws ConfigError for prices whose errors nobody has measured
 */
export function predictionIntervals(
  deployment: Deployment,
  config: ServerRunConfig,
  replayed: ReplayedRun,
  draws: number,
  sources: readonly UncertaintySource[] = UNCERTAINTY_SOURCES,
): PredictionIntervals {
  const { run, evaluated } = replayed;
  const server = createServer(deployment, config.engine, config.sampling);
  const worlds = Array.from({ length: draws }, (_, draw): RunComparison["metrics"] => {
    const world = new PossibleWorld(config.seed, draw);
    const perturbed = perturbDeployment(deployment, server, { world, run: run.name, sources: new Set(sources) });
    const { records } = runServer(createServer(perturbed, config.engine, config.sampling), replayWorkload(run));
    return compareRun(run.measured, records).metrics;
  });
  const intervals = COMPARED_NAMES.map((name) => {
    const pick = COMPARED_NUMBERS[name];
    const { measured, predicted } = pick(evaluated.metrics);
    const interval = interval80(
      worlds.map((metrics) => pick(metrics).predicted),
      predicted,
    );
    return [name, interval === null || measured === null ? null : { ...interval, covers: holds(interval, measured) }];
  });
  return Object.fromEntries(intervals) as PredictionIntervals;
}

function holds({ low, high }: Interval, value: number): boolean {
  return low <= value && value <= high;
}
