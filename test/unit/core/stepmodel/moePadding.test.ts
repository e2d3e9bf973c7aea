import { describe, expect, it } from "vitest";
import { FORMULA } from "../../../../src/core/kernels/kernelLookup.js";
import type { KernelModel } from "../../../../src/core/kernels/kernelModel.js";
import { AdditiveStepModel } from "../../../../src/core/stepmodel/additiveStepModel.js";
import { DEFAULT_WAITS } from "../../../../src/core/stepmodel/stepWaits.js";
import { loadModel } from "../../../../src/io/catalog.js";
import { toBatch } from "../../../property/stepModelArbitraries.js";

const qwen = loadModel("Qwen/Qwen3-30B-A3B");

const flatPrice: KernelModel = {
  price: () => ({ us: 1, launchUs: 1, boundBy: "launch", efficiency: 1, source: "modelled" }),
  lookup: () => FORMULA,
};

describe("an MoE step of 5 tokens in a graph of 8", () => {
  const model = new AdditiveStepModel({
    architecture: qwen,
    parallelism: { tensorParallelSize: 1 },
    dtypes: { weightDtype: "bf16", kvDtype: "bf16" },
    sampling: { sortsLogits: false },
    kernelModel: flatPrice,
    captureSizes: [1, 8],
    waits: DEFAULT_WAITS,
  });
  const { paddedTokens, components } = model.breakdown(toBatch({ decodeContexts: [9, 9, 9, 9, 9], chunks: [] }));
  const operator = (name: string) => components.find((component) => component.operator.name === name)!.operator;

  it("routes all 8 rows", () => {
    expect(paddedTokens).toBe(8);
    expect(operator("router").dims).toMatchObject({ m: 8 });
  });

  it("visits the experts of the 5: padding picks none", () => {
    const { dims, flops, weightBytes } = operator("fused_experts");
    expect(dims).toMatchObject({ numTokens: 5 });
    // Hidden 2048, 8 of 128 experts of 768; gate, up and down; 2 FLOPs and 2 bytes per weight.
    const expertWeights = 3 * 2048 * 768;
    expect(flops).toBe(5 * 8 * 2 * expertWeights);
    // An expert is missed by one token with probability 1 − 8/128, by five with its fifth power.
    const touched = 128 * (1 - (120 / 128) ** 5);
    expect(weightBytes / (2 * expertWeights)).toBeCloseTo(touched, 6);
  });
});
