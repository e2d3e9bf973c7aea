import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEfficiencyKernelModel } from "../../../../src/core/kernels/efficiencyKernelModel.js";
import { gpuRoofs } from "../../../../src/core/kernels/gpuRoofs.js";
import type { KernelModel } from "../../../../src/core/kernels/kernelModel.js";
import { physicalFloor } from "../../../../src/core/kernels/tables/physicalFloor.js";
import { attentionOperators } from "../../../../src/core/model/attentionOperators.js";
import type { MlaAttention, ModelArchitecture } from "../../../../src/core/model/modelArchitecture.js";
import type { Operator, PrefillChunk } from "../../../../src/core/model/operator.js";
import { loadGpu, loadGpuCatalog, loadGpuEfficiency } from "../../../../src/io/catalog.js";
import { loadKernelEfficiency } from "../../../../src/io/kernelEfficiency.js";
import { builtIn } from "../model/builtInModels.js";

const SETTINGS = { seed: 20261126, numRuns: 300 };
/** Prices may differ by so much where they should be equal. */
const ROUNDING = 1 - 1e-9;

/** Every built-in GPU, and one whose efficiencies know nothing of latent attention. */
const MODELS: readonly {
  readonly name: string;
  readonly roofs: ReturnType<typeof gpuRoofs>;
  readonly model: KernelModel;
}[] = [
  ...loadGpuCatalog().map((gpu) => {
    const { fit, source } = loadKernelEfficiency(gpu);
    return { name: gpu.id, roofs: gpuRoofs(gpu), model: createEfficiencyKernelModel(gpu, fit, source) };
  }),
  withoutMla(),
];

function withoutMla() {
  const gpu = loadGpu("H200");
  const { mla: _latent, ...rest } = loadGpuEfficiency("H200")!;
  return { name: "H200 without MLA", roofs: gpuRoofs(gpu), model: createEfficiencyKernelModel(gpu, rest, "modelled") };
}

const V3 = builtIn("deepseek-ai/DeepSeek-V3");

function withHeads(numHeads: number): ModelArchitecture {
  const group = V3.layerGroups[0]!;
  const attention: MlaAttention = { ...(group.attention as MlaAttention), numHeads };
  return { ...V3, layerGroups: [{ ...group, count: 1, attention }] };
}

function rows(
  numHeads: number,
  kvDtype: "bf16" | "fp8",
  prefillChunks: readonly PrefillChunk[],
  decodeContextTokens: readonly number[],
): Operator[] {
  const dtypes = { weightDtype: "bf16", kvDtype } as const;
  return attentionOperators(withHeads(numHeads), { tensorParallelSize: 1 }, dtypes, {
    prefillChunks,
    decodeContextTokens,
  });
}

function totalUs(model: KernelModel, operators: readonly Operator[]): number {
  return operators.reduce((sum, operator) => sum + model.price(operator).us, 0);
}

const scale = (min: number, max: number) =>
  fc.double({ min: Math.log(min), max: Math.log(max), noNaN: true }).map((ln) => Math.round(Math.exp(ln)));
const someModel = fc.constantFrom(...MODELS);
const heads = fc.constantFrom(1, 2, 8, 16, 20, 64, 128);
const kvDtype = fc.constantFrom("bf16", "fp8" as const);
const growth = fc.double({ min: 1, max: 3, noNaN: true });

describe("kernels of latent attention", () => {
  it("cost no less than the datasheet allows", () => {
    const step = fc.record({
      chunks: fc.array(fc.record({ newTokens: scale(1, 8192), contextTokens: scale(1, 60_000) }), { maxLength: 3 }),
      contexts: fc.array(scale(1, 100_000), { maxLength: 20 }),
    });
    fc.assert(
      fc.property(someModel, heads, kvDtype, step, ({ roofs, model }, numHeads, dtype, { chunks, contexts }) => {
        for (const operator of rows(numHeads, dtype, chunks, contexts)) {
          const price = model.price(operator);
          expect(price.us).toBeGreaterThanOrEqual(physicalFloor(operator, roofs).us * ROUNDING);
          expect(price.efficiency).toBeLessThanOrEqual(1);
          expect(price.launchUs).toBeLessThanOrEqual(price.us);
        }
      }),
      SETTINGS,
    );
  });

  it("cost more for more requests, longer contexts and more heads", () => {
    const equal = (n: number, context: number) => new Array<number>(n).fill(context);
    fc.assert(
      fc.property(
        someModel,
        heads,
        kvDtype,
        scale(1, 1024),
        scale(1, 100_000),
        growth,
        ({ model }, numHeads, dtype, n, context, factor) => {
          const us = (h: number, m: number, c: number) => totalUs(model, rows(h, dtype, [], equal(m, c)));
          const base = us(numHeads, n, context) * ROUNDING;
          expect(us(numHeads, Math.ceil(n * factor), context)).toBeGreaterThanOrEqual(base);
          expect(us(numHeads, n, Math.ceil(context * factor))).toBeGreaterThanOrEqual(base);
          expect(us(Math.ceil(numHeads * factor), n, context)).toBeGreaterThanOrEqual(base);
        },
      ),
      SETTINGS,
    );
  });

  it("cost decode rows no less than the longest of them alone", () => {
    fc.assert(
      fc.property(
        someModel,
        heads,
        scale(1, 100_000),
        fc.array(scale(1, 1000), { maxLength: 5 }),
        (priced, h, long, short) => {
          const alone = rows(h, "bf16", [], [long]).find(({ name }) => name === "attention_decode")!;
          const together = rows(h, "bf16", [], [long, ...short]).find(({ name }) => name === "attention_decode")!;
          expect(priced.model.price(together).us).toBeGreaterThanOrEqual(priced.model.price(alone).us * ROUNDING);
        },
      ),
      SETTINGS,
    );
  });

  it("cost a prompt no less for being cut into chunks", () => {
    fc.assert(
      fc.property(
        someModel,
        heads,
        scale(2, 30_000),
        fc.double({ min: 0.05, max: 0.95, noNaN: true }),
        (priced, h, tokens, share) => {
          const first = Math.min(tokens - 1, Math.max(1, Math.round(tokens * share)));
          const whole = totalUs(priced.model, rows(h, "bf16", [{ newTokens: tokens, contextTokens: 0 }], []));
          const cut = [
            { newTokens: first, contextTokens: 0 },
            { newTokens: tokens - first, contextTokens: first },
          ].reduce((sum, chunk) => sum + totalUs(priced.model, rows(h, "bf16", [chunk], [])), 0);
          expect(cut).toBeGreaterThanOrEqual(whole * ROUNDING);
        },
      ),
      SETTINGS,
    );
  });

  it("are looked up in data on GPUs that have it, and by formula elsewhere", () => {
    const lookups = (name: string) => {
      const { model } = MODELS.find((candidate) => candidate.name === name)!;
      return rows(16, "bf16", [{ newTokens: 1024, contextTokens: 0 }], [2048, 2048])
        .filter(({ name: operator }) => operator.startsWith("attention_"))
        .map((operator) => model.lookup(operator).kind);
    };
    expect(lookups("H200")).toEqual(["interpolated", "interpolated"]);
    expect(lookups("B200")).toEqual(["formula", "interpolated"]);
    expect(lookups("H200 without MLA")).toEqual(["formula", "formula"]);
  });
});
