import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEfficiencyKernelModel } from "../../../../src/core/kernels/efficiencyKernelModel.js";
import { CompiledSurface, type EfficiencySurface } from "../../../../src/core/kernels/efficiencySurface.js";
import { dataLookup, lnDistanceBeyond } from "../../../../src/core/kernels/kernelLookup.js";
import type { OperatorDims } from "../../../../src/core/model/operator.js";
import { loadGpu, loadGpuEfficiency } from "../../../../src/io/catalog.js";
import { dimsOperator } from "../../../reference/dimsOperator.js";

const h100 = loadGpu("H100");
const efficiency = loadGpuEfficiency("H100")!;
const model = createEfficiencyKernelModel(h100, efficiency, "modelled");
const lookup = (dims: OperatorDims) => model.lookup(dimsOperator(dims));

const GEMM = { category: "gemm", m: 64, k: 4096, n: 4096, weightDtype: "bf16" } as const;
const HEADS = { numHeads: 32, numKvHeads: 8, headDim: 128, kvDtype: "bf16", slidingWindow: 0 } as const;
const ALL_REDUCE = { category: "collective", collective: "all-reduce", numRanks: 4, messageBytes: 2 ** 20 } as const;

const decode = (numRequests: number, contextTokens: number, heads: object = {}): OperatorDims => ({
  category: "attention-decode",
  ...HEADS,
  ...heads,
  numRequests,
  sumContextTokens: numRequests * contextTokens,
  maxContextTokens: contextTokens,
});
const prefill = (newTokens: number, contextTokens: number, slidingWindow = 0): OperatorDims => ({
  category: "attention-prefill",
  ...HEADS,
  slidingWindow,
  chunks: [{ newTokens, contextTokens }],
});

describe("a distance from the data", () => {
  it("is 0 inside, ends included, and the |ln| of the overshoot outside", () => {
    for (const value of [2, 3, 8]) expect(lnDistanceBeyond(value, 2, 8)).toBe(0);
    expect(lnDistanceBeyond(1, 2, 8)).toBeCloseTo(Math.log(2), 12);
    expect(lnDistanceBeyond(24, 2, 8)).toBeCloseTo(Math.log(3), 12);
  });

  it("makes a price extrapolated, however small", () => {
    expect(dataLookup(0)).toEqual({ kind: "interpolated", lnDistance: 0 });
    expect(dataLookup(1e-9).kind).toBe("extrapolated");
  });
});

describe("a surface", () => {
  const knots: EfficiencySurface["knots"] = [[1, 8, 300], [3, 7], [5]];
  const surface = new CompiledSurface({ knots, lnFactors: [1, 2, 3, 4, 5, 6] });

  it("is inside at every knot, to the last bit, and never beyond an axis with a single knot", () => {
    for (const x of knots[0]) for (const y of knots[1]) expect(surface.lnDistance(x, y, 1e9)).toBe(0);
  });

  it("says how far the edge whose value it holds is away", () => {
    const shape = fc.double({ min: -3, max: 12, noNaN: true }).map(Math.exp);
    fc.assert(
      fc.property(shape, shape, (x, y) => {
        const edgeX = Math.min(300, Math.max(1, x));
        const edgeY = Math.min(7, Math.max(3, y));
        expect(surface.factor(x, y, 1)).toBeCloseTo(surface.factor(edgeX, edgeY, 1), 9);
        const expected = Math.max(Math.abs(Math.log(x / edgeX)), Math.abs(Math.log(y / edgeY)));
        expect(surface.lnDistance(x, y, 1)).toBeCloseTo(expected, 9);
      }),
      { seed: 20261126, numRuns: 300 },
    );
  });
});

describe("lookups of the efficiency model", () => {
  it("are interpolated inside the knots of the GPU's own fits", () => {
    const experts = { numExperts: 128, numLocalExperts: 128, topK: 8, hiddenSize: 2048, intermediateSize: 768 };
    const inside: OperatorDims[] = [
      GEMM,
      { ...GEMM, weightDtype: "fp8" },
      { category: "grouped-gemm", numTokens: 64, ...experts, weightDtype: "bf16" },
      decode(64, 1000),
      prefill(512, 0),
      prefill(20, 0),
      ALL_REDUCE,
    ];
    for (const dims of inside) expect(lookup(dims), dims.category).toEqual({ kind: "interpolated", lnDistance: 0 });
  });

  it.each<[string, OperatorDims, number]>([
    ["more tokens than any product had", { ...GEMM, m: 16_384 }, 2],
    ["a vocabulary wider than any product", { ...GEMM, n: 131_072 }, 2],
    ["the farther of two axes", { ...GEMM, m: 16_384, n: 32 }, 4],
    ["more KV heads than any decode row had", decode(8, 1000, { numKvHeads: 32 }), 4],
    ["longer contexts than any decode row had", decode(2, 262_144), 2],
    ["wider heads, as more tokens of the measured width", decode(2, 131_072, { headDim: 256 }), 2],
    ["a chunk that ends beyond every measured prompt", prefill(512, 32_768 - 512), 2],
    ["more ranks than any all-reduce had", { ...ALL_REDUCE, numRanks: 16 }, 2],
    ["a larger message than any all-reduce had", { ...ALL_REDUCE, messageBytes: 2 ** 30 }, 2],
  ])("are extrapolated for %s", (_what, dims, factor) => {
    expect(lookup(dims).kind).toBe("extrapolated");
    expect(lookup(dims).lnDistance).toBeCloseTo(Math.log(factor), 9);
  });

  it("judge the longest row where it sets the price of a decode", () => {
    const uneven = { category: "attention-decode", ...HEADS, numRequests: 2, sumContextTokens: 300_010 } as const;
    const beyond = lookup({ ...uneven, maxContextTokens: 300_000 });
    expect(beyond.lnDistance).toBeGreaterThan(Math.log(300_000 / 2 / 131_072));
    expect(beyond.lnDistance).toBeCloseTo(Math.log(300_000 / 131_072), 9);
  });

  it("stop at a sliding window: beyond it no position is new", () => {
    expect(lookup(prefill(512, 100_000, 4096)).kind).toBe("interpolated");
    expect(lookup(prefill(512, 100_000)).kind).toBe("extrapolated");
  });

  it("are a formula where no data is behind the price", () => {
    const formulas: OperatorDims[] = [
      { category: "norm", numTokens: 8 },
      { category: "activation", numTokens: 8 },
      { category: "sample", numRows: 8, vocabSize: 32_000, sortsLogits: true },
      { ...GEMM, weightDtype: "int4" },
      { ...ALL_REDUCE, collective: "all-gather" },
      { ...ALL_REDUCE, numRanks: 1 },
    ];
    for (const dims of formulas) expect(lookup(dims)).toEqual({ kind: "formula", lnDistance: 0 });
  });

  it("are a formula for a dtype that borrows another's constants", () => {
    const { gemm, decodeAttention, prefillAttention } = efficiency;
    const unfitted = createEfficiencyKernelModel(
      h100,
      {
        ...efficiency,
        gemm: { ...gemm, fp8: null },
        decodeAttention: { ...decodeAttention, fp8: null },
        prefillAttention: { ...prefillAttention, fp8: null },
      },
      "modelled",
    );
    for (const dims of [
      { ...GEMM, weightDtype: "fp8" as const },
      { ...decode(8, 1000), kvDtype: "fp8" },
      { ...prefill(512, 0), kvDtype: "fp8" },
    ]) {
      expect(unfitted.lookup(dimsOperator(dims as OperatorDims)).kind).toBe("formula");
    }
    expect(unfitted.lookup(dimsOperator(prefill(512, 0))).kind).toBe("interpolated");
  });

  it("leave prices as they are", () => {
    const operator = dimsOperator(prefill(900, 5));
    const before = model.price(operator);
    model.lookup(dimsOperator(prefill(20_000, 5)));
    model.lookup(dimsOperator(decode(8, 1000)));
    expect(model.price(operator)).toEqual(before);
  });
});
