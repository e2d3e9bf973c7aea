import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gpuRoofs } from "../../../../../src/core/kernels/gpuRoofs.js";
import { FORMULA } from "../../../../../src/core/kernels/kernelLookup.js";
import type { KernelModel, KernelPrice } from "../../../../../src/core/kernels/kernelModel.js";
import { type KernelTableSet, NO_TABLES } from "../../../../../src/core/kernels/tables/kernelTable.js";
import { physicalFloor } from "../../../../../src/core/kernels/tables/physicalFloor.js";
import {
  allReduceRowOperator,
  decodeRowOperator,
  gemmRowOperator,
  groupedGemmRowOperator,
  prefillRowOperator,
} from "../../../../../src/core/kernels/tables/rowOperator.js";
import { createTableKernelModel } from "../../../../../src/core/kernels/tables/tableKernelModel.js";
import { collectiveOperator, gemmOperator, memoryOperator } from "../../../../../src/core/model/gemmOperator.js";
import type { Operator } from "../../../../../src/core/model/operator.js";
import { loadGpu } from "../../../../../src/io/catalog.js";

const gpu = loadGpu("H100");
const roofs = gpuRoofs(gpu);
/** Nobody's kernels, but of a price that rises with the work, as every model's does. */
const fallback: KernelModel = {
  price(operator): KernelPrice {
    const us = 4 + 1.4 * floorOf(operator);
    return { us, launchUs: 4, boundBy: "memory", efficiency: floorOf(operator) / us, source: "modelled" };
  },
  lookup: () => FORMULA,
};
const source = "measured" as const;
const HEADS = { numKvHeads: 8, headDim: 128, kvDtype: "bf16" as const };

const floorOf = (operator: Operator) => physicalFloor(operator, roofs).us;

function expectFallback(model: KernelModel, operator: Operator): void {
  expect(model.price(operator)).toEqual(fallback.price(operator));
}

function withTables(tables: Partial<KernelTableSet>) {
  return createTableKernelModel(gpu, { ...NO_TABLES, ...tables }, fallback);
}

function gemmRow(m: number, k: number, n: number, slowdown = 1.25) {
  const shape = { m, k, n, dtype: "bf16" as const };
  return { ...shape, latencyUs: 3 + slowdown * floorOf(gemmRowOperator(shape)), source };
}

function decodeRow(numHeads: number, batchSize: number, kvLen: number, us = 12) {
  const shape = { ...HEADS, numHeads, batchSize, kvLen };
  return { ...shape, latencyUs: us + 1.2 * floorOf(decodeRowOperator(shape)), source };
}

function prefillRow(seqLen: number, batchSize = 1) {
  const shape = { ...HEADS, numHeads: 32, seqLen, contextLen: 0, batchSize };
  return { ...shape, latencyUs: 10 + 1.5 * floorOf(prefillRowOperator(shape)), source };
}

const GEMM_ROWS = [1, 64, 512, 4096].flatMap((m) => [
  gemmRow(m, 4096, 6144),
  gemmRow(m, 4096, 4096),
  gemmRow(m, 14336, 4096),
]);
const DECODE_ROWS = [16, 32].flatMap((heads) =>
  [1, 16, 256].flatMap((batch) => [128, 1024, 8192].map((kv) => decodeRow(heads, batch, kv))),
);
const PREFILL_ROWS = [128, 1024, 8192].map((seqLen) => prefillRow(seqLen));

describe("createTableKernelModel", () => {
  it("prices a measured shape with its row", () => {
    const model = withTables({ gemm: GEMM_ROWS, decodeAttention: DECODE_ROWS, prefillAttention: PREFILL_ROWS });
    for (const row of GEMM_ROWS) expect(model.price(gemmRowOperator(row)).us).toBe(row.latencyUs);
    for (const row of DECODE_ROWS) expect(model.price(decodeRowOperator(row)).us).toBeCloseTo(row.latencyUs, 9);
    for (const row of PREFILL_ROWS) expect(model.price(prefillRowOperator(row)).us).toBeCloseTo(row.latencyUs, 6);
  });

  it("says where the price came from and what binds", () => {
    const model = withTables({ gemm: GEMM_ROWS });
    const large = model.price(gemmRowOperator({ m: 4096, k: 14336, n: 4096, dtype: "bf16" }));
    expect(large).toMatchObject({ boundBy: "compute", source: "measured" });
    expect(large.efficiency).toBeCloseTo(0.8, 2);
    expect(model.price(gemmRowOperator({ m: 1, k: 4096, n: 6144, dtype: "bf16" })).boundBy).toBe("memory");
    const modelled = withTables({ gemm: GEMM_ROWS.map((row) => ({ ...row, source: "modelled" as const })) });
    expect(modelled.price(gemmRowOperator(GEMM_ROWS[0]!)).source).toBe("modelled");
  });

  it("lets measured rows displace modelled ones", () => {
    const modelled = GEMM_ROWS.map((row) => ({ ...row, latencyUs: 2 * row.latencyUs, source: "modelled" as const }));
    const model = withTables({ gemm: [...modelled, ...GEMM_ROWS] });
    expect(model.price(gemmRowOperator(GEMM_ROWS[0]!)).us).toBe(GEMM_ROWS[0]!.latencyUs);
  });

  it("treats fp16 as bf16 and keeps fp8 apart", () => {
    const model = withTables({ gemm: GEMM_ROWS });
    expect(model.price(gemmRowOperator({ ...GEMM_ROWS[0]!, dtype: "fp16" })).us).toBe(GEMM_ROWS[0]!.latencyUs);
    expectFallback(model, gemmRowOperator({ ...GEMM_ROWS[0]!, dtype: "fp8" }));
  });

  it("leaves rows faster than physics out and counts them", () => {
    const impossible = { ...GEMM_ROWS[3]!, latencyUs: 0.9 * floorOf(gemmRowOperator(GEMM_ROWS[3]!)) };
    const others = GEMM_ROWS.filter((_, i) => i !== 3);
    const model = withTables({ gemm: [...others, impossible] });
    const { us } = model.price(gemmRowOperator(impossible));
    expect(us).toBeGreaterThan(floorOf(gemmRowOperator(impossible)));
    expect(model.usage()).toMatchObject([{ family: "gemm", impossibleRows: 1, usedRows: 11 }]);
  });

  it("leaves rows out that fit in the cache and beat every row that does not", () => {
    const streamed = [8192, 16384, 32768].map((n) => gemmRow(1, 16384, n, 1.25));
    const cached = { ...gemmRow(1, 2048, 2048), latencyUs: 1.05 * floorOf(gemmRowOperator(gemmRow(1, 2048, 2048))) };
    const model = withTables({ gemm: [...streamed, cached, gemmRow(1, 2048, 4096, 2)] });
    expect(model.price(gemmRowOperator(cached)).us).toBeGreaterThan(cached.latencyUs);
    expect(model.usage()).toMatchObject([{ family: "gemm", cacheResidentRows: 1, impossibleRows: 0, usedRows: 4 }]);
  });

  it("falls back for families, dtypes and head shapes without rows, and counts it", () => {
    const model = withTables({ decodeAttention: DECODE_ROWS });
    expectFallback(model, gemmRowOperator(GEMM_ROWS[0]!));
    expectFallback(model, decodeRowOperator({ ...HEADS, numHeads: 64, batchSize: 4, kvLen: 100 }));
    expect(model.price(decodeRowOperator({ ...HEADS, numHeads: 32, batchSize: 4, kvLen: 100 })).source).toBe(
      "measured",
    );
    expect(model.usage()).toMatchObject([
      { family: "gemm", numFellBack: 1, numPriced: 0 },
      { family: "decodeAttention", numFellBack: 1, numPriced: 1, numExtrapolated: 1 },
    ]);
  });

  it("leaves small kernels and all-gathers to the fallback without calling them missing", () => {
    const model = withTables({ allReduce: [{ numRanks: 2, messageBytes: 2 ** 20, latencyUs: 12, source }] });
    const norm = memoryOperator("norm", "norm", 1, { numTokens: 8, inputSize: 64, outputSize: 64 });
    const gather = collectiveOperator("gather", "all-gather", 1, { numRanks: 2, numTokens: 8, size: 64 });
    expectFallback(model, norm);
    expectFallback(model, gather);
    expect(model.usage()).toEqual([]);
    expect(model.price(allReduceRowOperator({ numRanks: 2, messageBytes: 2 ** 20 })).us).toBe(12);
    expectFallback(model, allReduceRowOperator({ numRanks: 4, messageBytes: 2 ** 20 }));
  });

  it("reads head counts between two measured ones between their prices", () => {
    const model = withTables({
      decodeAttention: DECODE_ROWS.map((row) => ({ ...row, latencyUs: row.latencyUs * (row.numHeads / 16) })),
    });
    const at = (numHeads: number) =>
      model.price(decodeRowOperator({ ...HEADS, numHeads, batchSize: 16, kvLen: 1024 })).us;
    expect(at(24)).toBeGreaterThan(at(16));
    expect(at(24)).toBeLessThan(at(32));
  });

  it("prices a chunk behind cached context by its query-key pairs, not by its length", () => {
    const model = withTables({ prefillAttention: PREFILL_ROWS });
    const heads = { ...HEADS, numHeads: 32, batchSize: 1 };
    const alone = model.price(prefillRowOperator({ ...heads, seqLen: 512, contextLen: 0 })).us;
    const behind = model.price(prefillRowOperator({ ...heads, seqLen: 512, contextLen: 7680 })).us;
    const whole = model.price(prefillRowOperator({ ...heads, seqLen: 8192, contextLen: 0 })).us;
    expect(behind).toBeGreaterThan(alone);
    expect(behind).toBeLessThan(whole);
  });

  it("prices a short chunk behind a long context by the KV it must stream", () => {
    const model = withTables({ prefillAttention: PREFILL_ROWS });
    const operator = prefillRowOperator({ ...HEADS, numHeads: 32, batchSize: 1, seqLen: 1, contextLen: 500_000 });
    expect(physicalFloor(operator, roofs).boundBy).toBe("memory");
    expect(model.price(operator).us).toBeGreaterThan(1.2 * floorOf(operator));
  });

  it("keeps to the operator's own floor where it moves more than the row did", () => {
    const row = { ...gemmRow(1, 4096, 4096), latencyUs: floorOf(gemmRowOperator(gemmRow(1, 4096, 4096))) };
    const biased = gemmOperator("o_proj", 1, { m: 1, k: 4096, n: 4096, weightDtype: "bf16", hasBias: true });
    expect(withTables({ gemm: [row] }).price(biased)).toMatchObject({ us: floorOf(biased), efficiency: 1 });
  });

  it("prices several prompts in one launch below their separate launches", () => {
    const model = withTables({ prefillAttention: PREFILL_ROWS });
    const heads = { ...HEADS, numHeads: 32, seqLen: 1024, contextLen: 0 };
    const one = model.price(prefillRowOperator({ ...heads, batchSize: 1 })).us;
    const four = model.price(prefillRowOperator({ ...heads, batchSize: 4 })).us;
    expect(four).toBeGreaterThan(one);
    expect(four).toBeLessThan(4 * one);
  });

  it("prices chunks of a token beside a long prompt as next to nothing, not as so many prompts", () => {
    const rows = [1, 8].flatMap((batch) => [128, 1024, 8192].map((seqLen) => prefillRow(seqLen, batch)));
    const model = withTables({ prefillAttention: rows });
    const pricedWith = (numShort: number) => {
      const long = { newTokens: 2048, contextTokens: 0 };
      const chunks = [long, ...Array.from({ length: numShort }, () => ({ newTokens: 1, contextTokens: 0 }))];
      const operator = prefillRowOperator({ ...HEADS, numHeads: 32, seqLen: 2048, contextLen: 0, batchSize: 1 });
      return model.price({ ...operator, dims: { ...operator.dims, chunks } as Operator["dims"] }).us;
    };
    expect(pricedWith(31)).toBeGreaterThanOrEqual(pricedWith(0));
    expect(pricedWith(31)).toBeLessThan(1.02 * pricedWith(0));
  });

  it("prices grouped GEMMs of the same routing only", () => {
    const shape = {
      numTokens: 64,
      numExperts: 8,
      numLocalExperts: 8,
      topK: 2,
      hiddenSize: 4096,
      intermediateSize: 7168,
      dtype: "bf16" as const,
    };
    const latencyUs = 20 + 1.3 * floorOf(groupedGemmRowOperator(shape));
    const model = withTables({ groupedGemm: [{ ...shape, latencyUs, source }] });
    expect(model.price(groupedGemmRowOperator(shape)).us).toBe(latencyUs);
    expect(model.price(groupedGemmRowOperator({ ...shape, numTokens: 4096 })).us).toBeGreaterThan(latencyUs);
    expectFallback(model, groupedGemmRowOperator({ ...shape, topK: 1 }));
  });

  it("is never below physics and rises with every dimension", () => {
    const model = withTables({ gemm: GEMM_ROWS, decodeAttention: DECODE_ROWS, prefillAttention: PREFILL_ROWS });
    const size = (max: number) => fc.integer({ min: 1, max });
    const operatorPairs = fc.oneof(
      fc.tuple(size(20000), size(30000), size(30000), size(4), fc.nat(2)).map(([m, k, n, factor, axis]) => {
        const shape = { m, k, n, dtype: "bf16" as const };
        const key = (["m", "k", "n"] as const)[axis]!;
        return [gemmRowOperator(shape), gemmRowOperator({ ...shape, [key]: shape[key] * factor })] as const;
      }),
      fc.tuple(size(300), size(40000), size(4), fc.nat(1)).map(([batchSize, kvLen, factor, axis]) => {
        const shape = { ...HEADS, numHeads: 32, batchSize, kvLen };
        const key = (["batchSize", "kvLen"] as const)[axis]!;
        return [decodeRowOperator(shape), decodeRowOperator({ ...shape, [key]: shape[key] * factor })] as const;
      }),
      fc
        .tuple(size(9000), fc.nat(30000), size(3), size(4), fc.nat(2))
        .map(([seqLen, contextLen, batchSize, factor, axis]) => {
          const shape = { ...HEADS, numHeads: 32, seqLen, contextLen, batchSize };
          const key = (["seqLen", "contextLen", "batchSize"] as const)[axis]!;
          return [prefillRowOperator(shape), prefillRowOperator({ ...shape, [key]: shape[key] * factor })] as const;
        }),
    );
    fc.assert(
      fc.property(operatorPairs, ([small, large]) => {
        const price = model.price(small);
        expect(price.us).toBeGreaterThanOrEqual(floorOf(small));
        expect(model.price(large).us).toBeGreaterThanOrEqual(price.us * (1 - 1e-9));
        expect(price.efficiency).toBeGreaterThan(0);
        expect(price.efficiency).toBeLessThanOrEqual(1);
        expect(price.launchUs).toBeLessThanOrEqual(price.us);
      }),
      { seed: 20260221, numRuns: 300 },
    );
    for (const usage of model.usage()) expect(usage.numPriced).toBeGreaterThan(50);
  });
});

describe("lookups of the table model", () => {
  const tables = { gemm: GEMM_ROWS, decodeAttention: DECODE_ROWS, prefillAttention: PREFILL_ROWS };
  const heads = { ...HEADS, numHeads: 32, batchSize: 1 };

  it("agree with what a price counts as extrapolated, and count nothing themselves", () => {
    const size = (max: number) => fc.integer({ min: 1, max });
    const operators = fc.oneof(
      fc
        .tuple(size(9000), size(30000), fc.integer({ min: 3000, max: 7000 }))
        .map(([m, k, n]) => ["gemm", gemmRowOperator({ m, k, n, dtype: "bf16" })] as const),
      fc
        .tuple(size(400), size(20000))
        .map(([batchSize, kvLen]) => ["decodeAttention", decodeRowOperator({ ...heads, batchSize, kvLen })] as const),
      fc
        .tuple(size(20000), fc.nat(20000))
        .map(
          ([seqLen, contextLen]) => ["prefillAttention", prefillRowOperator({ ...heads, seqLen, contextLen })] as const,
        ),
    );
    const seen = new Set<string>();
    fc.assert(
      fc.property(operators, ([family, operator]) => {
        const model = withTables(tables);
        const { kind, lnDistance } = model.lookup(operator);
        expect(model.usage()).toEqual([]);
        model.price(operator);
        expect(model.usage()).toMatchObject([{ family, numExtrapolated: kind === "extrapolated" ? 1 : 0 }]);
        expect(lnDistance > 0).toBe(kind === "extrapolated");
        seen.add(`${family} ${kind}`);
      }),
      { seed: 20261126, numRuns: 150 },
    );
    expect(seen.size).toBe(6);
  });

  it.each([
    ["twice the tokens of any row", gemmRowOperator({ m: 8192, k: 4096, n: 4096, dtype: "bf16" }), 2],
    ["half the width of any row", gemmRowOperator({ m: 64, k: 2048, n: 2048, dtype: "bf16" }), 2],
    ["half the context of any row", decodeRowOperator({ ...heads, batchSize: 4, kvLen: 64 }), 2],
    ["heads between two measured ones", decodeRowOperator({ ...HEADS, numHeads: 24, batchSize: 512, kvLen: 1024 }), 2],
    ["twice the length of any prompt", prefillRowOperator({ ...heads, seqLen: 16_384, contextLen: 0 }), 2],
  ])("say how far %s is away", (_what, operator, factor) => {
    expect(withTables(tables).lookup(operator).lnDistance).toBeCloseTo(Math.log(factor), 4);
  });

  it("are 0 away at every row", () => {
    const model = withTables(tables);
    for (const row of GEMM_ROWS) expect(model.lookup(gemmRowOperator(row)).kind).toBe("interpolated");
    for (const row of DECODE_ROWS) expect(model.lookup(decodeRowOperator(row)).kind).toBe("interpolated");
  });

  it("are the fallback's where the fallback prices", () => {
    const model = withTables({ allReduce: [{ numRanks: 2, messageBytes: 2 ** 20, latencyUs: 12, source }] });
    expect(model.lookup(gemmRowOperator(GEMM_ROWS[0]!))).toBe(FORMULA);
    expect(model.lookup(allReduceRowOperator({ numRanks: 4, messageBytes: 2 ** 20 }))).toBe(FORMULA);
    const far = model.lookup(allReduceRowOperator({ numRanks: 2, messageBytes: 2 ** 22 }));
    expect(far.lnDistance).toBeCloseTo(Math.log(4), 9);
  });
});
