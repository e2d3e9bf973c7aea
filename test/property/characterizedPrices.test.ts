import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bandwidthChanges,
  characterizeEfficiency,
} from "../../src/core/kernels/characterization/characterizeEfficiency.js";
import { createEfficiencyKernelModel } from "../../src/core/kernels/efficiencyKernelModel.js";
import type { KernelModel } from "../../src/core/kernels/kernelModel.js";
import type { OperatorDims } from "../../src/core/model/operator.js";
import { loadGpu } from "../../src/io/catalog.js";
import { loadKernelEfficiency } from "../../src/io/kernelEfficiency.js";
import { characterizationOf } from "../reference/characterizations.js";
import { dimsOperator } from "../reference/dimsOperator.js";
import { spread } from "./stepModelArbitraries.js";

const SETTINGS = { seed: 20260221, numRuns: 800 };
/** Surfaces bent to another base move by at most this much in the wrong direction: they are stored in steps. */
const BENDING = 1 + 2e-3;

/** Ascending, alike for all patterns. */
const FRACTIONS = [0.1, 0.5, 0.7, 0.8, 0.9, 1];

const CHARACTERIZED = ["H100", "A100-80", "L40S", "L4"].map((id) => {
  const gpu = loadGpu(id);
  const { fit: efficiency } = loadKernelEfficiency(gpu);
  const models = FRACTIONS.map((fraction): KernelModel => {
    const measured = characterizationOf(gpu, { sequential: fraction, scattered: fraction, mixed: fraction });
    return createEfficiencyKernelModel(gpu, characterizeEfficiency(efficiency, gpu, measured), "modelled");
  });
  const [change] = bandwidthChanges(efficiency, gpu, characterizationOf(gpu, { sequential: 0.5 }));
  return { id, gpu, models, own: createEfficiencyKernelModel(gpu, efficiency, "modelled"), change: change! };
});

const weightDtype = fc.constantFrom("bf16", "fp8", "int4" as const);
const heads = fc.constantFrom(
  { numHeads: 32, numKvHeads: 8, headDim: 128 },
  { numHeads: 8, numKvHeads: 1, headDim: 128 },
  { numHeads: 32, numKvHeads: 32, headDim: 64 },
);
const kvDtype = fc.constantFrom("bf16", "fp8" as const);

const gemm = fc
  .record({ m: spread(1, 8192), k: spread(512, 32_768), n: spread(512, 65_536), weightDtype })
  .map((shape): OperatorDims => ({ category: "gemm", ...shape }));
const experts = fc
  .record({ numTokens: spread(1, 8192), hiddenSize: spread(1024, 8192), intermediateSize: spread(256, 16_384) })
  .chain((shape) => weightDtype.map((dtype) => ({ ...shape, weightDtype: dtype })))
  .map((shape): OperatorDims => ({ category: "grouped-gemm", numExperts: 64, numLocalExperts: 64, topK: 4, ...shape }));
const decode = fc
  .record({ heads, kvDtype, numRequests: spread(1, 512), context: spread(1, 50_000) })
  .map(({ heads, kvDtype, numRequests, context }): OperatorDims => {
    const tokens = { numRequests, sumContextTokens: numRequests * context, maxContextTokens: context };
    return { category: "attention-decode", ...heads, kvDtype, slidingWindow: 0, ...tokens };
  });
const prefill = fc
  .record({ heads, kvDtype, newTokens: spread(1, 2048), contextTokens: spread(1, 4000) })
  .map(({ heads, kvDtype, ...chunk }): OperatorDims => {
    return { category: "attention-prefill", ...heads, kvDtype, slidingWindow: 0, chunks: [chunk] };
  });
const anyKernel = fc.oneof(gemm, experts, decode, prefill);

describe("a characterised price", () => {
  it("falls, or stays, when the measured bandwidth rises", () => {
    fc.assert(
      fc.property(fc.constantFrom(...CHARACTERIZED), anyKernel, ({ id, models }, dims) => {
        const prices = models.map((model) => model.price(dimsOperator(dims)).us);
        for (const [i, us] of prices.entries()) {
          if (i > 0) expect(us, `${id} ${JSON.stringify(dims)}`).toBeLessThanOrEqual(prices[i - 1]! * BENDING);
        }
      }),
      SETTINGS,
    );
  });

  it("rises at most by the slowdown of memory, and never falls below it", () => {
    const slow = FRACTIONS.indexOf(0.5);
    fc.assert(
      fc.property(fc.constantFrom(...CHARACTERIZED), gemm, ({ id, models, own, change }, dims) => {
        const ratio = models[slow]!.price(dimsOperator(dims)).us / own.price(dimsOperator(dims)).us;
        expect(ratio, `${id} ${JSON.stringify(dims)}`).toBeLessThanOrEqual((change.fractionBefore / 0.5) * BENDING);
        expect(ratio).toBeGreaterThanOrEqual(1 / BENDING);
      }),
      SETTINGS,
    );
  });

  it("of a product that compute binds hardly moves", () => {
    const dims: OperatorDims = { category: "gemm", m: 8192, k: 8192, n: 8192, weightDtype: "bf16" };
    for (const { models, own } of CHARACTERIZED) {
      // At a tenth of its bandwidth memory would bind it.
      for (const model of models.slice(FRACTIONS.indexOf(0.5))) {
        const ratio = model.price(dimsOperator(dims)).us / own.price(dimsOperator(dims)).us;
        expect(Math.abs(ratio - 1)).toBeLessThan(0.03);
      }
    }
  });

  it("of a product that memory binds falls nearly as the bandwidth rises", () => {
    const dims: OperatorDims = { category: "gemm", m: 1, k: 8192, n: 57_344, weightDtype: "bf16" };
    for (const { models } of CHARACTERIZED) {
      const us = (fraction: number) => models[FRACTIONS.indexOf(fraction)]!.price(dimsOperator(dims)).us;
      expect(us(0.5) / us(0.8)).toBeGreaterThan(1.5);
      expect(us(0.5) / us(0.8)).toBeLessThanOrEqual(1.6 * BENDING);
    }
  });
});

describe("characterised prices rise with every dimension", () => {
  /** The same kernel with one dimension grown by a few percent, so that no cell of a surface is stepped over. */
  const grown = (dims: OperatorDims, axis: number): OperatorDims => {
    const more = (size: number) => Math.ceil(size * 1.04);
    switch (dims.category) {
      case "gemm":
        return [
          { ...dims, m: more(dims.m) },
          { ...dims, k: more(dims.k) },
          { ...dims, n: more(dims.n) },
        ][axis]!;
      case "grouped-gemm":
        return [
          { ...dims, numTokens: more(dims.numTokens) },
          { ...dims, intermediateSize: more(dims.intermediateSize) },
          dims,
        ][axis]!;
      case "attention-decode": {
        const numRequests = axis === 0 ? more(dims.numRequests) : dims.numRequests;
        const context = axis === 1 ? more(dims.maxContextTokens) : dims.maxContextTokens;
        return { ...dims, numRequests, maxContextTokens: context, sumContextTokens: numRequests * context };
      }
      default:
        return dims;
    }
  };

  it("though their surfaces were fitted on another base", () => {
    const kernel = fc.oneof(gemm, experts, decode);
    const axis = fc.constantFrom(0, 1, 2);
    fc.assert(
      fc.property(fc.constantFrom(...CHARACTERIZED), kernel, axis, ({ id, models }, dims, along) => {
        for (const [i, model] of models.entries()) {
          const before = model.price(dimsOperator(dims)).us;
          const after = model.price(dimsOperator(grown(dims, along))).us;
          const label = `${id} at ${FRACTIONS[i]}: ${JSON.stringify(dims)}, axis ${along}`;
          expect(after, label).toBeGreaterThanOrEqual(before * (1 - 1e-9));
        }
      }),
      { ...SETTINGS, numRuns: 4000 },
    );
  });

  it("for decode attention at every short context, where the fits are steepest", () => {
    for (const { id, models } of CHARACTERIZED) {
      for (const numRequests of [1, 32, 273]) {
        let before = 0;
        for (let context = 8; context <= 128; context += 1) {
          const tokens = { numRequests, sumContextTokens: numRequests * context, maxContextTokens: context };
          const shape = { numHeads: 32, numKvHeads: 8, headDim: 128, kvDtype: "bf16", slidingWindow: 0 } as const;
          const us = models.at(-1)!.price(dimsOperator({ category: "attention-decode", ...shape, ...tokens })).us;
          expect(us, `${id}: ${numRequests} × ${context}`).toBeGreaterThanOrEqual(before * (1 - 1e-9));
          before = us;
        }
      }
    }
  });
});
