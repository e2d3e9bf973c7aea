import { describe, expect, it } from "vitest";
import { HYPOTHESES } from "../../../../src/core/config/pricingConfig.js";
import { gpuRoofs } from "../../../../src/core/kernels/gpuRoofs.js";
import { FORMULA } from "../../../../src/core/kernels/kernelLookup.js";
import type { KernelModel } from "../../../../src/core/kernels/kernelModel.js";
import { physicalFloor } from "../../../../src/core/kernels/tables/physicalFloor.js";
import { type Operator, operatorBytes } from "../../../../src/core/model/operator.js";
import { RooflineV1StepModel } from "../../../../src/core/stepmodel/rooflineV1StepModel.js";
import type { StepPlan } from "../../../../src/core/stepmodel/stepPlan.js";
import { BASELINE_WAITS, stepSwitches } from "../../../../src/core/stepmodel/stepSwitches.js";
import { SwitchedStepModel } from "../../../../src/core/stepmodel/switchedStepModel.js";
import { loadGpu, loadModel } from "../../../../src/io/catalog.js";
import { type StepRows, stepUs, toBatch } from "../../../property/stepModelArbitraries.js";

const roofs = gpuRoofs(loadGpu("H100"));
const llama = loadModel("meta-llama/Llama-3.1-8B");

/** Every kernel takes so much of its roof, as a price without a launch. */
function kernels(efficiency: number): KernelModel {
  return {
    price: (operator) => {
      const floor = physicalFloor(operator, roofs);
      const us = floor.us / efficiency;
      return { us, launchUs: 0, boundBy: floor.boundBy, efficiency, source: "modelled" };
    },
    lookup: () => FORMULA,
  };
}

function plan(tensorParallelSize = 1, kernelModel = kernels(1)): StepPlan {
  return {
    architecture: llama,
    parallelism: { tensorParallelSize },
    dtypes: { weightDtype: "bf16", kvDtype: "bf16" },
    sampling: { sortsLogits: true },
    kernelModel,
    captureSizes: [1, 8, 16],
    waits: BASELINE_WAITS,
  };
}

function v2(tensorParallelSize = 1, kernelModel = kernels(1), bandwidthFraction = 1): SwitchedStepModel {
  const switches = stepSwitches("roofline-v2", new Set())!;
  return new SwitchedStepModel(plan(tensorParallelSize, kernelModel), { switches, roofs, bandwidthFraction });
}

const decodes: StepRows = { decodeContexts: [99, 499, 999], chunks: [] };
const prefill: StepRows = { decodeContexts: [], chunks: [{ newTokens: 2000, contextTokens: 0 }] };
const HEADS = 32;
const LAYERS = 32;

/** FLOPs and bytes of the matrix products of Llama-3.1-8B's layers over so many tokens, on one of so many GPUs. */
function products(numTokens: number, ranks = 1) {
  const columns = 6144 + 4096 + 28_672 + 14_336;
  const weights = (4096 * 6144 + 4096 * 4096 + 4096 * 28_672 + 14_336 * 4096) / ranks;
  expect(columns).toBe(53_248);
  return { flops: LAYERS * 2 * numTokens * weights, weightBytes: LAYERS * 2 * weights };
}

describe("roofline-v1", () => {
  it("takes a decode's bytes at 0.72 × 0.92 of the bandwidth, and 50 µs", () => {
    const model = new RooflineV1StepModel(plan(), roofs);
    const { components } = model.breakdown(toBatch(decodes));
    const bytes = components.reduce((sum, { operator }) => sum + operator.count * operatorBytes(operator), 0);
    // Weights once, and 128 KiB of KV per token of context.
    expect(bytes / (products(3).weightBytes + 131_072 * 1600)).toBeCloseTo(1, 2);
    expect(stepUs(model, decodes)).toBeCloseTo(bytes / (3.35e6 * 0.72 * 0.92) + 50, 3);
  });

  it("takes a prefill's FLOPs at the peak, its attention's at a tenth", () => {
    const model = new RooflineV1StepModel(plan(), roofs);
    const productUs = products(2000).flops / roofs.bf16FlopsPerUs;
    const attentionUs = (LAYERS * 4 * HEADS * 128 * 2000 * 2001) / 2 / (0.1 * roofs.bf16FlopsPerUs);
    expect(stepUs(model, prefill)).toBeCloseTo(productUs + attentionUs + 50, 3);
  });

  it("divides a prefill's FLOPs by TP to the power 0.68, and adds 20 µs per all-reduce", () => {
    const alone = stepUs(new RooflineV1StepModel(plan(), roofs), prefill) - 50;
    const four = stepUs(new RooflineV1StepModel(plan(4), roofs), prefill) - 50;
    // Two per layer and one after the embedding.
    expect(four).toBeCloseTo(alone / 4 ** 0.68 + 65 * 20, 3);
  });
});

describe("roofline-v2", () => {
  it("prices decodes as if all were as long as the longest, their products unpadded and split", () => {
    const { components, paddedTokens, waits } = v2().breakdown(toBatch(decodes));
    const dims = new Map(components.map(({ operator }) => [operator.name, operator.dims]));
    expect(paddedTokens).toBe(3);
    expect(dims.get("attention_decode")).toMatchObject({
      numRequests: 3,
      sumContextTokens: 3000,
      maxContextTokens: 1000,
    });
    expect([...dims.keys()]).toEqual([
      ...["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
      "attention_decode",
    ]);
    expect(dims.get("k_proj")).toMatchObject({ m: 3, k: 4096, n: 1024 });
    expect(waits).toEqual([{ name: "fixed_overhead", us: 50, count: 1 }]);
  });

  it.each([
    [100, 0, 512],
    [100, 412, 512],
    [100, 413, 1024],
    [2000, 49, 4096],
  ])("prices %i new tokens behind %i cached ones as a sequence of %i", (newTokens, contextTokens, bucket) => {
    const { components } = v2().breakdown(toBatch({ decodeContexts: [], chunks: [{ newTokens, contextTokens }] }));
    const attention = components.find(({ operator }) => operator.name === "attention_prefill")!.operator.dims;
    expect(attention).toMatchObject({ chunks: [{ newTokens, contextTokens: bucket - newTokens }] });
  });

  it("adds 20 µs per all-reduce, whatever its size", () => {
    const names = v2(2).breakdown(toBatch(decodes)).waits;
    expect(names).toContainEqual({ name: "all_reduce_latency", us: 65 * 20, count: 65 });
  });

  it("holds the sum of its kernels against all bytes at the bandwidth that H1 grants", () => {
    // Kernels at their roofs: at a tenth of the bandwidth the bytes bind, ten times as long.
    const memoryUs = (model: SwitchedStepModel) =>
      model
        .breakdown(toBatch(decodes))
        .components.reduce((sum, { operator }) => sum + (operator.count * operatorBytes(operator)) / 3.35e6, 0);
    expect(stepUs(v2(1, kernels(1), 0.1), decodes)).toBeCloseTo(10 * memoryUs(v2()) + 50, 3);
    expect(stepUs(v2(1, kernels(0.05), 0.1), decodes)).toBeCloseTo(20 * memoryUs(v2()) + 50, 3);
  });

  it("blends the two phases' own times: 0.75 and 0.25 where prefill dominates", () => {
    const us = (rows: StepRows) => stepUs(v2(), rows) - 50;
    const mixed = { decodeContexts: decodes.decodeContexts, chunks: prefill.chunks };
    expect(us(mixed)).toBeCloseTo(0.75 * us(prefill) + 0.25 * us(decodes), 3);
  });
});

describe("one roof over the step", () => {
  it("takes the larger of all compute and all memory time; a roof per kernel adds up each kernel's own", () => {
    const hypotheses = (names: readonly string[]) => new Set(HYPOTHESES.filter((name) => names.includes(name)));
    const model = (names: readonly string[]) =>
      new SwitchedStepModel(plan(), {
        switches: { hypotheses: hypotheses(names), pricesRealShapes: true, pricesAllOperators: true },
        roofs,
        bandwidthFraction: 1,
      });
    const rows = { decodeContexts: new Array<number>(16).fill(4000), chunks: [{ newTokens: 1024, contextTokens: 0 }] };
    const all = ["H1", "H2", "H3", "H4", "H5", "H6"];
    const { components } = model(all).breakdown(toBatch(rows));
    const sum = (of: (operator: Operator) => number) =>
      components.reduce((total, { operator }) => total + operator.count * of(operator), 0);
    const computeUs = sum((operator) => physicalFloor(operator, roofs).computeUs);
    const memoryUs = sum((operator) => physicalFloor(operator, roofs).memoryUs);
    expect(stepUs(model(all), rows)).toBeCloseTo(sum((operator) => physicalFloor(operator, roofs).us) + 50, 3);
    expect(stepUs(model(all.filter((name) => name !== "H4")), rows)).toBeCloseTo(Math.max(computeUs, memoryUs) + 50, 3);
    expect(Math.max(computeUs, memoryUs)).toBeLessThan(sum((operator) => physicalFloor(operator, roofs).us) * 0.95);
  });
});
