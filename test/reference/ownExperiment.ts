import { createServer } from "../../src/core/engine/createServer.js";
import type { RunConfig } from "../../src/core/engine/runConfig.js";
import { runConfigSchema } from "../../src/core/engine/runConfig.js";
import { runServer } from "../../src/core/engine/simulate.js";
import type { ServerRunConfig } from "../../src/core/evaluation/evaluateRun.js";
import type { MeasuredExperiment } from "../../src/core/metrics/measuredExperiment.js";
import { e2eMs, interTokenMs, ttftMs } from "../../src/core/metrics/runMetrics.js";
import { createWorkload } from "../../src/core/workload/createWorkload.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";

/** An experiment as if measured: what the additive model makes of a run, so that its error is known to be 0. */
export function ownExperiment(config: RunConfig): { experiment: MeasuredExperiment; config: ServerRunConfig } {
  const { workload, ...serverConfig } = config;
  const server = createServer(loadDeployment(config), config.engine, config.sampling);
  const { records, specs } = runServer(server, createWorkload(workload, config.seed, {}));
  const name = `own ${config.model}`;
  const run = {
    name,
    closedLoopConcurrency: null,
    specs,
    measured: records.map((record) => ({
      ttftMs: ttftMs(record),
      e2eMs: e2eMs(record),
      itlMs: interTokenMs(record),
      failed: record.status !== "completed",
    })),
    stages: [{ name, firstIndex: 0, endIndex: specs.length, requestsPerS: null, aggregates: null }],
    aggregates: null,
    outputTokensPerS: null,
    excluded: null,
  };
  const nothing = {
    maxModelLen: null,
    maxNumSeqs: null,
    maxNumBatchedTokens: null,
    blockSize: null,
    numGpuBlocks: null,
  };
  const experiment = {
    name,
    model: config.model,
    gpu: config.gpu,
    tensorParallelSize: config.engine.tensorParallelSize,
    engine: { ...nothing, vllmVersion: null, enablePrefixCaching: null, dtype: null },
    sampling: { topP: null, topK: null, temperature: null },
    client: "roofserve" as const,
    runs: [run],
    notes: [],
  };
  return { experiment, config: serverConfig };
}

/** A small chat run of a model on one H100. */
export function smallRun(model: string, rate: number): RunConfig {
  return runConfigSchema.parse({
    model,
    gpu: "H100",
    workload: {
      profile: { kind: "poisson", rate },
      data: { kind: "synthetic", promptTokens: 400, outputTokens: 30 },
      maxRequests: 30,
    },
  });
}
