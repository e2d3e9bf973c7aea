import type { EngineConfig, SamplingConfig } from "../config/engineConfig.js";
import { nearestVllmVersion } from "../config/vllmVersion.js";
import type { MeasuredExperiment, MeasuredRun } from "../metrics/measuredExperiment.js";
import { closedLoopWorkload, workloadFromSpecs } from "../workload/specWorkload.js";
import type { Workload } from "../workload/workload.js";

/** What an experiment's files state of the server, as a fragment of a run config; nothing where they are silent. */
export function statedConfig(experiment: MeasuredExperiment): {
  readonly model: string;
  readonly gpu?: string;
  readonly engine: Partial<EngineConfig>;
  readonly sampling: Partial<SamplingConfig>;
} {
  const { model, gpu, engine, sampling, tensorParallelSize } = experiment;
  const vllmVersion = engine.vllmVersion === null ? null : nearestVllmVersion(engine.vllmVersion);
  return {
    model,
    ...(gpu === null ? {} : { gpu }),
    engine: {
      tensorParallelSize,
      ...withoutNulls({
        maxModelLen: engine.maxModelLen,
        maxNumSeqs: engine.maxNumSeqs,
        maxNumBatchedTokens: engine.maxNumBatchedTokens,
        blockSize: engine.blockSize,
        numGpuBlocksOverride: engine.numGpuBlocks,
        enablePrefixCaching: engine.enablePrefixCaching,
        vllmVersion,
      }),
    },
    sampling: withoutNulls(sampling),
  };
}

/** What of an experiment's server is not simulated as its files state it, each a sentence. */
export function unstatedNotes({ engine }: MeasuredExperiment): string[] {
  if (engine.vllmVersion === null || nearestVllmVersion(engine.vllmVersion) !== null) return [];
  return [`vLLM ${engine.vllmVersion} is older than any simulated; scheduled as the default version`];
}

type WithoutNulls<T> = { [K in keyof T]?: Exclude<T[K], null> };

function withoutNulls<T extends object>(fields: T): WithoutNulls<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as WithoutNulls<T>;
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
