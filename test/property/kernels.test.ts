import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEfficiencyKernelModel } from "../../src/core/kernels/efficiencyKernelModel.js";
import type { KernelModel } from "../../src/core/kernels/kernelModel.js";
import { transferEfficiency, transferSource } from "../../src/core/kernels/transferEfficiency.js";
import { type OperatorDims, operatorBytes } from "../../src/core/model/operator.js";
import { loadGpuCatalog, loadGpuEfficiency } from "../../src/io/catalog.js";
import { dimsOperator } from "../reference/dimsOperator.js";

const SETTINGS = { seed: 20261121, numRuns: 400 };
/** ln factors are interpolated in double precision; prices may differ by this much where they should be equal. */
const ROUNDING = 1 - 1e-9;

/** Every built-in GPU: by its own fit, or by a relative's. */
const MODELS = loadGpuCatalog().map((gpu) => {
  const own = loadGpuEfficiency(gpu.id);
  if (own !== null) return { gpu, model: createEfficiencyKernelModel(gpu, own, "modelled") };
  const { gpu: relative, slowdown } = transferSource(gpu);
  const efficiency = transferEfficiency(loadGpuEfficiency(relative)!, gpu, slowdown);
  return { gpu, model: createEfficiencyKernelModel(gpu, efficiency, "transferred") };
});
const someModel = fc.constantFrom(...MODELS);

/** Integers spread evenly over orders of magnitude. */
const scale = (min: number, max: number) =>
  fc.double({ min: Math.log(min), max: Math.log(max), noNaN: true }).map((ln) => Math.round(Math.exp(ln)));
const growth = fc.double({ min: 1, max: 3, noNaN: true });
const weightDtype = fc.constantFrom("bf16", "fp16", "fp8", "int4" as const);
const kvDtype = fc.constantFrom("bf16", "fp8" as const);
const headDim = fc.constantFrom(64, 128, 256);
const slidingWindow = fc.constantFrom(0, 0, 1024, 4096);

const gemm = fc.record({
  category: fc.constant("gemm" as const),
  m: scale(1, 20_000),
  k: scale(32, 60_000),
  n: scale(1, 200_000),
  weightDtype,
});
const grouped = fc
  .record({
    category: fc.constant("grouped-gemm" as const),
    numTokens: scale(1, 20_000),
    numExperts: fc.constantFrom(8, 60, 128, 256),
    topK: fc.constantFrom(1, 2, 6, 8),
    hiddenSize: scale(1024, 8192),
    intermediateSize: scale(128, 16_384),
    weightDtype,
  })
  .map((dims) => ({ ...dims, numLocalExperts: dims.numExperts }));
const heads = fc
  .record({
    numKvHeads: fc.constantFrom(1, 2, 4, 8, 32),
    group: fc.constantFrom(1, 4, 8),
    headDim,
    kvDtype,
    slidingWindow,
  })
  .map(({ group, ...rest }) => ({ ...rest, numHeads: rest.numKvHeads * group }));
const decode = fc.tuple(heads, scale(1, 1024), scale(1, 100_000)).map(([shape, numRequests, context]) => ({
  category: "attention-decode" as const,
  ...shape,
  ...equalRows(numRequests, shape.slidingWindow > 0 ? Math.min(context, shape.slidingWindow) : context),
}));
function equalRows(numRequests: number, context: number) {
  return { numRequests, sumContextTokens: numRequests * context, maxContextTokens: context };
}

const chunk = fc.record({ newTokens: scale(1, 4000), contextTokens: fc.oneof(fc.constant(0), scale(1, 60_000)) });
const prefill = fc
  .tuple(heads, fc.array(chunk, { minLength: 1, maxLength: 4 }))
  .map(([shape, chunks]) => ({ category: "attention-prefill" as const, ...shape, chunks }));
const collective = fc.record({
  category: fc.constant("collective" as const),
  collective: fc.constantFrom("all-reduce", "all-gather" as const),
  numRanks: fc.constantFrom(2, 3, 4, 6, 8, 16),
  messageBytes: scale(1, 1e9),
});
const small = fc.record({
  category: fc.constantFrom("norm", "rope", "activation", "elementwise" as const),
  numTokens: scale(1, 20_000),
});
const sample = fc.record({
  category: fc.constant("sample" as const),
  numRows: scale(1, 1024),
  vocabSize: scale(1000, 260_000),
  sortsLogits: fc.boolean(),
});

const us = (model: KernelModel, dims: OperatorDims): number => model.price(dimsOperator(dims)).us;

describe("every kernel model", () => {
  it("prices nothing below the datasheet, and labels what binds", () => {
    fc.assert(
      fc.property(someModel, fc.oneof(gemm, grouped, decode, prefill, small, sample), ({ gpu, model }, dims) => {
        const operator = dimsOperator(dims);
        const price = model.price(operator);
        const isFp8 = "weightDtype" in dims && dims.weightDtype === "fp8";
        const peak = isFp8 ? (gpu.compute.fp8FlopsPerS ?? gpu.compute.bf16FlopsPerS) : gpu.compute.bf16FlopsPerS;
        const floorUs = 1e6 * Math.max(operator.flops / peak, operatorBytes(operator) / gpu.memory.bandwidthBytesPerS);
        expect(price.us).toBeGreaterThanOrEqual(floorUs * ROUNDING);
        expect(price.launchUs).toBeLessThanOrEqual(price.us);
        expect(price.efficiency).toBeGreaterThan(0);
        expect(price.efficiency).toBeLessThanOrEqual(1);
      }),
      SETTINGS,
    );
  });

  it.each(["m", "k", "n"] as const)("a GEMM costs more with more %s", (axis) => {
    fc.assert(
      fc.property(someModel, gemm, growth, ({ model }, dims, factor) => {
        const larger = { ...dims, [axis]: Math.ceil(dims[axis] * factor) };
        expect(us(model, larger)).toBeGreaterThanOrEqual(us(model, dims) * ROUNDING);
      }),
      SETTINGS,
    );
  });

  it("a GEMM's price does not jump between neighbouring token counts", () => {
    fc.assert(
      fc.property(someModel, gemm, ({ model }, dims) => {
        const next = us(model, { ...dims, m: dims.m + 1 }) / us(model, dims);
        expect(next).toBeLessThanOrEqual(1 + Math.max(0.02, 2 / dims.m));
      }),
      SETTINGS,
    );
  });

  it.each(["numTokens", "intermediateSize"] as const)("fused experts cost more with more %s", (axis) => {
    fc.assert(
      fc.property(someModel, grouped, growth, ({ model }, dims, factor) => {
        const larger = { ...dims, [axis]: Math.ceil(dims[axis] * factor) };
        expect(us(model, larger)).toBeGreaterThanOrEqual(us(model, dims) * ROUNDING);
      }),
      SETTINGS,
    );
  });

  it("decode attention costs more with longer contexts, and with more requests of the same length", () => {
    fc.assert(
      fc.property(someModel, decode, growth, ({ model }, dims, factor) => {
        const context = dims.sumContextTokens / dims.numRequests;
        const longer = { ...dims, ...equalRows(dims.numRequests, Math.ceil(context * factor)) };
        expect(us(model, longer)).toBeGreaterThanOrEqual(us(model, dims) * ROUNDING);
        const more = { ...dims, ...equalRows(Math.ceil(dims.numRequests * factor), context) };
        expect(us(model, more)).toBeGreaterThanOrEqual(us(model, dims) * ROUNDING);
      }),
      SETTINGS,
    );
  });

  it("decode attention rises smoothly: one more token of context per request costs almost nothing", () => {
    fc.assert(
      fc.property(someModel, decode, ({ model }, dims) => {
        const context = dims.sumContextTokens / dims.numRequests;
        const next = us(model, { ...dims, ...equalRows(dims.numRequests, context + 1) });
        expect(next / us(model, dims)).toBeLessThanOrEqual(1 + Math.max(0.02, 2 / context));
      }),
      SETTINGS,
    );
  });

  it("prefill attention costs more with more new tokens, more context, and another chunk", () => {
    fc.assert(
      fc.property(someModel, prefill, chunk, fc.nat(3000), ({ model }, dims, another, more) => {
        const [first, ...rest] = dims.chunks;
        const before = us(model, dims) * ROUNDING;
        const withChunks = (chunks: typeof dims.chunks) => us(model, { ...dims, chunks });
        const { newTokens, contextTokens } = first!;
        expect(withChunks([{ newTokens: newTokens + more, contextTokens }, ...rest])).toBeGreaterThanOrEqual(before);
        expect(withChunks([{ newTokens, contextTokens: contextTokens + more }, ...rest])).toBeGreaterThanOrEqual(
          before,
        );
        expect(withChunks([...dims.chunks, another])).toBeGreaterThanOrEqual(before);
      }),
      SETTINGS,
    );
  });

  it("cutting a prefill into chunks never makes its attention cheaper in total", () => {
    const cut = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(
        someModel,
        heads,
        scale(2, 30_000),
        scale(1, 60_000),
        cut,
        ({ model }, shape, newTokens, context, at) => {
          const price = (tokens: number, contextTokens: number) =>
            us(model, { category: "attention-prefill", ...shape, chunks: [{ newTokens: tokens, contextTokens }] });
          const head = Math.max(1, Math.min(newTokens - 1, Math.round(newTokens * at)));
          const parts = price(head, context) + price(newTokens - head, context + head);
          expect(parts).toBeGreaterThanOrEqual(price(newTokens, context) * ROUNDING);
        },
      ),
      { ...SETTINGS, numRuns: 1000 },
    );
  });

  it("a collective costs something, more with more bytes and with more ranks", () => {
    fc.assert(
      fc.property(someModel, collective, growth, ({ model }, dims, factor) => {
        const before = us(model, dims);
        expect(before).toBeGreaterThan(0);
        const larger = { ...dims, messageBytes: Math.ceil(dims.messageBytes * factor) };
        expect(us(model, larger)).toBeGreaterThanOrEqual(before * ROUNDING);
      }),
      SETTINGS,
    );
  });

  it("sampling costs more with more rows and a larger vocabulary, and sorting is never free", () => {
    fc.assert(
      fc.property(someModel, sample, ({ model }, dims) => {
        expect(us(model, { ...dims, numRows: dims.numRows + 1 })).toBeGreaterThan(us(model, dims));
        expect(us(model, { ...dims, vocabSize: dims.vocabSize * 2 })).toBeGreaterThan(us(model, dims));
        expect(us(model, { ...dims, sortsLogits: true })).toBeGreaterThan(us(model, { ...dims, sortsLogits: false }));
      }),
      SETTINGS,
    );
  });
});
