import { createServer, type Deployment } from "../../engine/createServer.js";
import type { RunConfig } from "../../engine/runConfig.js";
import { type StreamedResult, serveRequests } from "../../engine/simulate.js";
import { RecordColumns } from "../../metrics/recordColumns.js";
import { type RunMetrics, summariseColumns } from "../../metrics/runMetrics.js";
import { type RunUncertainty, runUncertainty } from "../../metrics/runUncertainty.js";
import type { Workload } from "../../workload/workload.js";
import { perturbDeployment, UNCERTAINTY_SOURCES, type UncertaintySource } from "./perturbDeployment.js";
import { PossibleWorld } from "./possibleWorld.js";
import { sourceSentences } from "./sourceSentences.js";

/** How many worlds are drawn, and what may differ between them. */
export interface UncertaintyOptions {
  /** Worlds, ≥ `MIN_DRAWS`. */
  readonly draws: number;
  /** Names the run, which has a variation of its own. */
  readonly run: string;
  /** Whether a seed made the requests, so that each world has others. */
  readonly isGenerated: boolean;
  /** Default: all. */
  readonly sources?: readonly UncertaintySource[];
  /** Told before each world, from 0. */
  readonly onDraw?: (draw: number) => void;
}

/**
 * Intervals for a simulated run: its workload once more in each possible world.
 * @param workloadOf a fresh workload, of that seed where it is generated
 * @throws ConfigError for prices whose errors nobody has measured
 */
export function simulateWorlds(
  deployment: Deployment,
  config: RunConfig,
  central: Pick<StreamedResult, "summary">,
  workloadOf: (seed: number) => Workload,
  options: UncertaintyOptions,
): RunUncertainty {
  const sources = new Set(options.sources ?? UNCERTAINTY_SOURCES);
  const server = createServer(deployment, config.engine, config.sampling);
  const draws: RunMetrics[] = [];
  for (let draw = 0; draw < options.draws; draw++) {
    options.onDraw?.(draw);
    const world = new PossibleWorld(config.seed, draw);
    const perturbed = perturbDeployment(deployment, server, { world, run: options.run, sources });
    const workload = workloadOf(options.isGenerated && sources.has("seed") ? world.workloadSeed : config.seed);
    const columns = new RecordColumns();
    const inWorld = createServer(perturbed, config.engine, config.sampling);
    const { gapsUs } = serveRequests(inWorld, workload, null, columns);
    draws.push(summariseColumns(columns, gapsUs));
  }
  return runUncertainty(central.summary, draws, sourceSentences(deployment, options.isGenerated));
}
