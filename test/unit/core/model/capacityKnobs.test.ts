import { describe, expect, test } from "vitest";
import { CapacityError } from "../../../../src/core/errors/simulationError.js";
import { type MemoryProfileOptions, memoryProfile } from "../../../../src/core/model/memoryProfile.js";
import { loadModel } from "../../../../src/io/catalog.js";

const GIB = 2 ** 30;

function options(model: string, capacityGib: number, changes: Partial<MemoryProfileOptions> = {}) {
  const defaults: MemoryProfileOptions = {
    weightDtype: "bf16",
    kvDtype: "bf16",
    tensorParallelSize: 1,
    gpuCapacityBytes: capacityGib * GIB,
    gpuMemoryUtilization: 0.9,
    maxNumBatchedTokens: 2048,
    maxNumSeqs: 256,
    maxModelLen: 131072,
    blockSize: 16,
  };
  return { architecture: loadModel(model), options: { ...defaults, ...changes } };
}

/** The message of the CapacityError that a plan gives. */
function refusal(plan: ReturnType<typeof options>): string {
  try {
    memoryProfile(plan.architecture, plan.options);
  } catch (error) {
    if (error instanceof CapacityError) return error.message;
    throw error;
  }
  throw new Error("the plan fits");
}

describe("knobs of a CapacityError", () => {
  test.for([
    ["meta-llama/Llama-3.1-70B", 80],
    ["meta-llama/Llama-3.1-405B", 24],
    ["meta-llama/Llama-3.1-8B", 24],
    ["Qwen/Qwen3-235B-A22B", 24],
  ] as const)("%s on %i GiB: the GPUs it names are enough, half as many are not", ([model, capacityGib]) => {
    const message = refusal(options(model, capacityGib));
    const [advice = ""] = /--tensor-parallel-size .*?(?=,|$)/.exec(message) ?? [];
    const tensorParallelSize = Number(/--tensor-parallel-size (\d+)/.exec(advice)?.[1]);
    const others: Partial<MemoryProfileOptions> = {
      ...(advice.includes("fp8") ? { weightDtype: "fp8" } : {}),
      ...(advice.includes("--max-model-len 8192") ? { maxModelLen: 8192 } : {}),
    };
    const enough = options(model, capacityGib, { ...others, tensorParallelSize });
    expect(memoryProfile(enough.architecture, enough.options).numGpuBlocks).toBeGreaterThan(0);
    refusal(options(model, capacityGib, { ...others, tensorParallelSize: tensorParallelSize / 2 }));
  });

  test("quantisation is only proposed where the weights have 16 bits", () => {
    expect(refusal(options("meta-llama/Llama-3.1-70B", 40, { weightDtype: "fp8" }))).not.toContain("--quantization");
  });
});
