import { describe, expect, it } from "vitest";
import { CapacityError, ConfigError } from "../../../../src/core/errors/simulationError.js";
import { type MemoryProfileOptions, memoryProfile, numGpuBlocks } from "../../../../src/core/model/memoryProfile.js";
import { builtIn } from "./builtInModels.js";

const H100_BYTES = 81_090 * 2 ** 20;

function options(given: Partial<MemoryProfileOptions> = {}): MemoryProfileOptions {
  return {
    tensorParallelSize: 1,
    weightDtype: "bf16",
    kvDtype: "bf16",
    gpuCapacityBytes: H100_BYTES,
    gpuMemoryUtilization: 0.9,
    maxNumBatchedTokens: 2048,
    maxNumSeqs: 128,
    maxModelLen: 4096,
    blockSize: 16,
    ...given,
  };
}

function caught(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

describe("memoryProfile", () => {
  it.each([
    ["meta-llama/Llama-2-7b-hf", 7462, { weightDtype: "fp16", kvDtype: "fp16" }],
    ["meta-llama/Llama-2-70b-hf", 31_356, { tensorParallelSize: 4, weightDtype: "fp16", kvDtype: "fp16" }],
    ["mistralai/Mixtral-8x7B-v0.1", 27_510, { tensorParallelSize: 2 }],
    ["codellama/CodeLlama-34b-hf", 26_602, { tensorParallelSize: 2 }],
    ["codellama/CodeLlama-34b-hf", 2790, { maxNumBatchedTokens: 64, maxNumSeqs: 32, maxModelLen: 8192 }],
    // The log does not name its GPU: the capacity is inferred, so this guards the sampler constant, it does not prove it.
    ["meta-llama/Llama-3.1-8B", 9853, { gpuCapacityBytes: 40_442 * 2 ** 20, maxNumSeqs: 256, maxModelLen: 131_072 }],
    ["codellama/CodeLlama-34b-hf", 2537, { maxNumBatchedTokens: 4096, maxNumSeqs: 256, maxModelLen: 8192 }],
  ] as const)("gives %s the %d blocks of the run it was fitted on within 0.5 %", (id, measured, given) => {
    expect(Math.abs(numGpuBlocks(builtIn(id), options(given)) / measured - 1)).toBeLessThan(0.005);
  });

  it("accounts for every requested byte", () => {
    const profile = memoryProfile(builtIn("meta-llama/Llama-3.1-8B"), options());
    const { requestedBytes, weightBytes, activationPeakBytes, nonTorchBytes, kvCacheBytes } = profile;
    expect(weightBytes + activationPeakBytes + nonTorchBytes + kvCacheBytes).toBeCloseTo(requestedBytes, -1);
    expect(profile.numGpuBlocks).toBe(Math.floor(kvCacheBytes / profile.bytesPerBlock));
  });

  it("leaves less to the KV cache for a bigger budget, more rows or less utilisation; more on more GPUs", () => {
    const model = builtIn("meta-llama/Llama-3.1-8B");
    const base = numGpuBlocks(model, options());
    expect(numGpuBlocks(model, options({ maxNumBatchedTokens: 16_384 }))).toBeLessThan(base);
    expect(numGpuBlocks(model, options({ maxNumSeqs: 2048 }))).toBeLessThan(base);
    expect(numGpuBlocks(model, options({ gpuMemoryUtilization: 0.8 }))).toBeLessThan(base);
    expect(numGpuBlocks(model, options({ tensorParallelSize: 2 }))).toBeGreaterThan(2 * base);
    expect(numGpuBlocks(model, options({ weightDtype: "fp8", kvDtype: "fp8" }))).toBeGreaterThan(2 * base);
  });

  it("says what would help when the weights do not fit", () => {
    const error = caught(() => memoryProfile(builtIn("meta-llama/Llama-3.1-70B"), options())) as CapacityError;
    expect(error).toBeInstanceOf(CapacityError);
    expect(error.neededBytes).toBeGreaterThan(141e9);
    expect(error.availableBytes).toBe(Math.ceil(H100_BYTES * 0.9));
    expect(error.message).toContain("--tensor-parallel-size 2");
    expect(error.message).toContain("--quantization fp8");
  });

  it("says so when one sequence does not fit in the KV cache", () => {
    const given = options({ maxModelLen: 131_072, gpuCapacityBytes: 24 * 2 ** 30 });
    const error = caught(() => memoryProfile(builtIn("meta-llama/Llama-3.1-8B"), given)) as CapacityError;
    expect(error).toBeInstanceOf(CapacityError);
    expect(error.message).toContain("--max-model-len");
    expect(error.neededBytes).toBe(131_072 * 131_072);
  });

  it("refuses a split that leaves fractions, naming each size", () => {
    const error = caught(() => memoryProfile(builtIn("01-ai/Yi-34B"), options({ tensorParallelSize: 16 })));
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toContain("attention heads");
    expect((error as ConfigError).issues).toHaveLength(1);
  });
});
