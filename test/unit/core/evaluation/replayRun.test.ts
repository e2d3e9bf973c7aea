import { describe, expect, it } from "vitest";
import { engineConfigSchema, samplingConfigSchema } from "../../../../src/core/config/engineConfig.js";
import { replayWorkload, statedConfig } from "../../../../src/core/evaluation/replayRun.js";
import type { MeasuredExperiment, MeasuredRun } from "../../../../src/core/metrics/measuredExperiment.js";
import { requestSpec } from "../../../../src/core/request/requestSpec.js";

const silent: MeasuredExperiment = {
  name: "x",
  model: "m",
  gpu: null,
  tensorParallelSize: 2,
  engine: {
    maxModelLen: null,
    maxNumSeqs: null,
    maxNumBatchedTokens: null,
    blockSize: null,
    numGpuBlocks: null,
    vllmVersion: null,
    enablePrefixCaching: null,
    dtype: null,
  },
  sampling: { topP: null, topK: null, temperature: null },
  client: "roofserve",
  runs: [],
  notes: [],
};

describe("what an experiment states", () => {
  it("is only what its files say: the rest is left to the defaults", () => {
    expect(statedConfig(silent)).toEqual({ model: "m", engine: { tensorParallelSize: 2 }, sampling: {} });
  });

  it("is valid config, KV blocks and version under the simulator's names", () => {
    const engine = {
      maxModelLen: 4096,
      maxNumSeqs: 128,
      maxNumBatchedTokens: 2048,
      blockSize: 32,
      numGpuBlocks: 7463,
      vllmVersion: "0.11.2",
      enablePrefixCaching: false,
      dtype: "bfloat16",
    };
    const sampling = { topP: 0.9, topK: 0, temperature: 0 };
    const stated = statedConfig({ ...silent, gpu: "A100-80", engine, sampling });
    expect(stated.gpu).toBe("A100-80");
    expect(engineConfigSchema.parse(stated.engine)).toMatchObject({
      maxModelLen: 4096,
      maxNumSeqs: 128,
      maxNumBatchedTokens: 2048,
      blockSize: 32,
      numGpuBlocksOverride: 7463,
      vllmVersion: "0.11.1",
      enablePrefixCaching: false,
    });
    // 0 and false are said, not silent.
    expect(samplingConfigSchema.parse(stated.sampling)).toEqual(sampling);
  });

  it("leaves a version we do not know to the default", () => {
    const stated = statedConfig({ ...silent, engine: { ...silent.engine, vllmVersion: "0.9.1" } });
    expect(stated.engine).not.toHaveProperty("vllmVersion");
  });
});

describe("the requests of a measured run", () => {
  const specs = [0, 10, 20].map((arrivalUs) =>
    requestSpec({
      id: `r${arrivalUs}`,
      arrivalUs,
      promptSegments: [{ contentId: arrivalUs, numTokens: 4 }],
      maxTokens: 1,
      outputContentId: arrivalUs + 1,
    }),
  );
  const run = (closedLoopConcurrency: number | null): MeasuredRun => ({
    name: "x",
    closedLoopConcurrency,
    specs,
    measured: [],
    stages: [],
    aggregates: null,
    outputTokensPerS: null,
    excluded: null,
  });

  it("come at their own times in an open loop", () => {
    const workload = replayWorkload(run(null));
    expect(specs.map(() => workload.take().arrivalUs)).toEqual([0, 10, 20]);
  });

  it("wait for each other in a closed loop", () => {
    const workload = replayWorkload(run(1));
    const first = workload.take();
    expect(workload.peekArrivalUs()).toBe(Number.POSITIVE_INFINITY);
    workload.onFinished(first, 5000);
    expect(workload.take()).toMatchObject({ id: "r10", arrivalUs: 5000 });
  });
});
