import { describe, expect, it } from "vitest";
import { type KernelTableSet, NO_TABLES } from "../../../../src/core/kernels/tables/kernelTable.js";
import { hasLatentAttention } from "../../../../src/core/model/layerKinds.js";
import { kernelShapesAt } from "../../../../src/io/benchData/modelledShapes.js";
import { readBenchData } from "../../../../src/io/benchData/readBenchData.js";
import { tableCoverage } from "../../../../src/io/benchData/tableCoverage.js";
import { BENCH_DATA_FOLDER, loadGpu, loadModelCatalog } from "../../../../src/io/catalog.js";

const models = loadModelCatalog().filter(({ id, baseId }) => id === baseId);
/** Rows for every shape of every built-in model. */
const all = readBenchData(BENCH_DATA_FOLDER, loadGpu("H200")).tables;
const sizesOf = (tables: KernelTableSet, id: string) =>
  tableCoverage(tables, "H200", models).models.find((model) => model.id === id)!;
const LLAMA = "meta-llama/Llama-3.1-8B";
const MIXTRAL = "mistralai/Mixtral-8x7B-v0.1";

describe("which models a table set covers", () => {
  it("is all of them with a row for each of their shapes, but for latent attention, and none without rows", () => {
    const full = tableCoverage(all, "H200", models);
    const latent = models.filter(({ architecture }) => hasLatentAttention(architecture)).map(({ id }) => id);
    expect(latent.length).toBeGreaterThan(0);
    expect(full.models.filter(({ missingSizes }) => missingSizes.length > 0).map(({ id }) => id)).toEqual(latent);
    expect(full.models.map(({ id }) => id)).toEqual(models.map(({ id }) => id));
    const none = tableCoverage(NO_TABLES, "H200", models);
    expect(none.models.filter(({ coveredSizes }) => coveredSizes.length > 0)).toEqual([]);
    expect(none.without).toContain("decode attention");
  });

  it("misses a model at the TP sizes that need a shape whose rows are gone, whichever it is", () => {
    const llama = models.find(({ id }) => id === LLAMA)!.architecture;
    const { matrices, heads } = kernelShapesAt(llama, 2);
    for (const { k, n } of matrices) {
      const gemm = all.gemm.filter((row) => row.k !== k || row.n !== n);
      expect(sizesOf({ ...all, gemm }, LLAMA).missingSizes, `${k} × ${n}`).toContain(2);
    }
    const [{ numHeads, numKvHeads }] = heads as [(typeof heads)[number]];
    const others = (row: { numHeads: number; numKvHeads: number }) =>
      row.numHeads !== numHeads || row.numKvHeads !== numKvHeads;
    const cut = { ...all, decodeAttention: all.decodeAttention.filter(others) };
    expect(sizesOf(cut, LLAMA)).toMatchObject({ coveredSizes: [1, 4, 8], missingSizes: [2] });
    const cutPrefill = { ...all, prefillAttention: all.prefillAttention.filter(others) };
    expect(sizesOf(cutPrefill, LLAMA).missingSizes).toEqual([2]);
  });

  it("asks for experts where a model has them, and takes fp8 rows for no 16-bit kernel", () => {
    const denseOnly = { ...all, groupedGemm: [] };
    expect(sizesOf(denseOnly, MIXTRAL).coveredSizes).toEqual([]);
    expect(sizesOf(denseOnly, LLAMA).missingSizes).toEqual([]);
    const fp8Only = { ...all, gemm: all.gemm.map((row) => ({ ...row, dtype: "fp8" as const })) };
    expect(sizesOf(fp8Only, LLAMA).coveredSizes).toEqual([]);
    expect(tableCoverage(denseOnly, "H200", models).without).toEqual(
      expect.arrayContaining(["16-bit experts", "fp8 experts"]),
    );
  });
});
