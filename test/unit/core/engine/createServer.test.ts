import { describe, expect, it } from "vitest";
import { engineConfigSchema, samplingConfigSchema } from "../../../../src/core/config/engineConfig.js";
import { createServer } from "../../../../src/core/engine/createServer.js";
import { runServer } from "../../../../src/core/engine/simulate.js";
import { CapacityError, ConfigError } from "../../../../src/core/errors/simulationError.js";
import { requestSpec } from "../../../../src/core/request/requestSpec.js";
import { workloadFromSpecs } from "../../../../src/core/workload/specWorkload.js";
import { loadDeployment } from "../../../../src/io/loadDeployment.js";

function serverOf(model: string, gpu: string, fields: object = {}) {
  const deployment = loadDeployment({ model, gpu });
  return createServer(deployment, engineConfigSchema.parse(fields), samplingConfigSchema.parse({}));
}

const oneRequest = () =>
  workloadFromSpecs([
    requestSpec({
      id: "r",
      arrivalUs: 0,
      promptSegments: [{ contentId: 0, numTokens: 100 }],
      maxTokens: 4,
      outputContentId: 1,
    }),
  ]);

describe("a server", () => {
  it("has as many KV blocks as the GPU's memory leaves, fewer with less of it", () => {
    const blocks = (fields: object) => serverOf("meta-llama/Llama-3.1-8B", "H100", fields).parts.numGpuBlocks;
    const all = blocks({});
    expect(all).toBeGreaterThan(20_000);
    expect(blocks({ gpuMemoryUtilization: 0.8 })).toBeLessThan(all);
    expect(blocks({ kvCacheDtype: "fp8" })).toBeGreaterThan(1.9 * all);
    expect(blocks({ quantization: "fp8" })).toBeGreaterThan(all);
    expect(blocks({ blockSize: 32 })).toBeLessThan(0.51 * all);
    expect(blocks({ tensorParallelSize: 2 })).toBeGreaterThan(2 * all);
  });

  it("takes the number of KV blocks that it is told", () => {
    expect(serverOf("meta-llama/Llama-3.1-8B", "H100", { numGpuBlocksOverride: 777 }).parts.numGpuBlocks).toBe(777);
  });

  it("keeps two steps in flight when scheduling is asynchronous, else one", () => {
    expect(serverOf("Qwen/Qwen3-8B", "H100").parts.queueDepth).toBe(2);
    expect(serverOf("Qwen/Qwen3-8B", "H100", { vllmVersion: "0.11.0" }).parts.queueDepth).toBe(1);
  });

  it("refuses requests for which even its whole cache is too small", () => {
    for (const numGpuBlocksOverride of [1, 2, 7]) {
      const server = serverOf("Qwen/Qwen3-8B", "H100", { numGpuBlocksOverride });
      const { records, stats } = runServer(server, oneRequest());
      expect(records[0]?.status, `${numGpuBlocksOverride} blocks`).toBe("rejected");
      expect(stats).toMatchObject({ steps: 0, kvPeakUsedFraction: 0 });
    }
    const enough = runServer(serverOf("Qwen/Qwen3-8B", "H100", { numGpuBlocksOverride: 8 }), oneRequest());
    expect(enough.records[0]?.status).toBe("completed");
    expect(enough.stats.kvPeakUsedFraction).toBe(1);
  });
});

describe("a server that cannot be", () => {
  it("says which memory is missing when the weights do not fit", () => {
    expect(() => serverOf("meta-llama/Llama-3.1-70B", "H100")).toThrow(CapacityError);
    expect(() => serverOf("meta-llama/Llama-3.1-70B", "H100")).toThrow(/does not fit.*try/);
  });

  it("says so too when the KV blocks are given: blocks do not make room for weights", () => {
    const given = { numGpuBlocksOverride: 1000 };
    expect(() => serverOf("meta-llama/Llama-3.1-70B", "H100", given)).toThrow(CapacityError);
    expect(() => serverOf("meta-llama/Llama-3.1-70B", "H100", { ...given, tensorParallelSize: 4 })).not.toThrow();
  });

  it("says which size the tensor-parallel size does not divide", () => {
    expect(() => serverOf("meta-llama/Llama-3.1-8B", "H100", { tensorParallelSize: 3 })).toThrow(ConfigError);
    expect(() => serverOf("meta-llama/Llama-3.1-8B", "H100", { tensorParallelSize: 3 })).toThrow(/tensorParallelSize/);
  });
});
