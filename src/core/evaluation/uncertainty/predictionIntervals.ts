import { createServer, type Deployment } from "../../engine/createServer.js";
import { runServer } from "../../engine/simulate.js";
import { type Interval, interval80 } from "../../metrics/interval.js";
import { compareRun, type RunComparison } from "../compareRun.js";
import type { ReplayedRun, ServerRunConfig } from "../evaluateRun.js";
import { replayWorkload } from "../replayRun.js";
import { COMPARED_NAMES, COMPARED_NUMBERS, type PredictionIntervals } from "./comparedNumbers.js";
import { perturbDeployment, UNCERTAINTY_SOURCES } from "./perturbDeployment.js";
import { PossibleWorld } from "./possibleWorld.js";
import type { UncertaintyOptions } from "./simulateWorlds.js";

/** How many worlds are drawn, and what may differ between them. */
export type PredictionOptions = Pick<UncertaintyOptions, "draws" | "sources" | "onDraw">;

/**
 * Intervals for the predictions of one measured run: the same requests in each possible world. Whatever is compared in
 * one world is compared in the others, so the measured side stays what it is.
 * @throws ConfigError for prices whose errors nobody has measured
 */
export function predictionIntervals(
  deployment: Deployment,
  config: ServerRunConfig,
  replayed: ReplayedRun,
  { draws, sources = UNCERTAINTY_SOURCES, onDraw }: PredictionOptions,
): PredictionIntervals {
  const { run, evaluated } = replayed;
  const server = createServer(deployment, config.engine, config.sampling);
  const worlds = Array.from({ length: draws }, (_, draw): RunComparison["metrics"] => {
    onDraw?.(draw);
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
