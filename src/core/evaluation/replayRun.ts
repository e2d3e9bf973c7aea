import type { EngineConfig } from "../config/engineConfig.js";
import { nearestVllmVersion } from "../config/vllmVersion.js";
import type { MeasuredExperiment, MeasuredRun } from "../metrics/measuredExperiment.js";
import { closedLoopWorkload, workloadFromSpecs } from "../workload/specWorkload.js";
import type { Workload } from "../workload/workload.js";

/** The engine options that an experiment's files state, as overrides of the defaults; nothing where they are silent. */
export function measuredEngineOptions(experiment: MeasuredExperiment): Partial<EngineConfig> {
  const { engine, tensorParallelSize } = experiment;
  const vllmVersion = engine.vllmVersion === null ? null : nearestVllmVersion(engine.vllmVersion);
  return {
    tensorParallelSize,
    ...(engine.maxModelLen === null ? {} : { maxModelLen: engine.maxModelLen }),
    ...(engine.maxNumSeqs === null ? {} : { maxNumSeqs: engine.maxNumSeqs }),
    ...(engine.maxNumBatchedTokens === null ? {} : { maxNumBatchedTokens: engine.maxNumBatchedTokens }),
    ...(engine.blockSize === null ? {} : { blockSize: engine.blockSize }),
    ...(engine.numGpuBlocks === null ? {} : { numGpuBlocksOverride: engine.numGpuBlocks }),
    ...(engine.enablePrefixCaching === null ? {} : { enablePrefixCaching: engine.enablePrefixCaching }),
    ...(vllmVersion === null ? {} : { vllmVersion }),
  };
}

/**
 * The requests of a measured run as they were sent: closed loop where the client waited for completions, else at
 * the times its clients really sent them.
 */
export function replayWorkload(run: MeasuredRun): Workload {
  return run.closedLoopConcurrency === null
    ? workloadFromSpecs(run.specs)
    : closedLoopWorkload(run.specs, run.closedLoopConcurrency);
}
