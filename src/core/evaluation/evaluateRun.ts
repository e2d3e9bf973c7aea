import { createServer, type Deployment } from "../engine/createServer.js";
import type { RunConfig } from "../engine/runConfig.js";
import { runRegime, runServer } from "../engine/simulate.js";
import type { MeasuredRun } from "../metrics/measuredExperiment.js";
import { RecordColumns } from "../metrics/recordColumns.js";
import type { RequestRecord } from "../metrics/requestRecord.js";
import { compareRun } from "./compareRun.js";
import type { EvaluatedRun } from "./evaluationReport.js";
import { replayWorkload } from "./replayRun.js";

/** A run config without the workload: what a measured run is replayed on. */
export type ServerRunConfig = Omit<RunConfig, "workload">;

/** A measured run replayed: the comparison, and the requests of both worlds at equal indices. */
export interface ReplayedRun {
  readonly evaluated: EvaluatedRun;
  readonly run: MeasuredRun;
  readonly records: readonly RequestRecord[];
}

/**
 * Replays a measured run on a simulated server and compares.
 * @throws ConfigError, CapacityError
 */
export function evaluateRun(deployment: Deployment, config: ServerRunConfig, run: MeasuredRun): ReplayedRun {
  const server = createServer(deployment, config.engine, config.sampling);
  const { records, stats } = runServer(server, replayWorkload(run));
  const { metrics, perRequest, numCompared } = compareRun(run.measured, records);
  const evaluated = {
    name: run.name,
    model: config.model,
    gpu: config.gpu,
    tensorParallelSize: server.engine.tensorParallelSize,
    numRequests: run.specs.length,
    numCompared,
    excluded: run.excluded,
    regime: runRegime(server, RecordColumns.of(records), stats),
    metrics,
    perRequest,
  };
  return { evaluated, run, records };
}
