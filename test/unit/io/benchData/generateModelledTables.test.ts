import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { generateShippedTables, TABLE_GPUS } from "../../../../eval/kernels-tables/shippedTables.js";
import { createEfficiencyKernelModel } from "../../../../src/core/kernels/efficiencyKernelModel.js";
import { decodeRowOperator, gemmRowOperator } from "../../../../src/core/kernels/tables/rowOperator.js";
import { createTableKernelModel } from "../../../../src/core/kernels/tables/tableKernelModel.js";
import { hasLatentAttention } from "../../../../src/core/model/layerKinds.js";
import { checkBenchData } from "../../../../src/io/benchData/checkBenchData.js";
import { listBenchData } from "../../../../src/io/benchData/listBenchData.js";
import { kernelShapes } from "../../../../src/io/benchData/modelledShapes.js";
import { readBenchData } from "../../../../src/io/benchData/readBenchData.js";
import {
  BENCH_DATA_FOLDER,
  loadGpu,
  loadGpuCatalog,
  loadGpuEfficiency,
  loadModel,
  loadModelCatalog,
} from "../../../../src/io/catalog.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";

const { folder } = temporaryFolder();
const generated = generateShippedTables(folder);

describe("shipped tables", () => {
  it("are what the efficiency model gives, byte for byte (else: npx tsx eval/kernels-tables/generate.ts)", () => {
    expect(generated.length).toBeGreaterThan(400);
    const stale = generated.filter((path) => read(join(BENCH_DATA_FOLDER, path)) !== read(join(folder, path)));
    expect(stale).toEqual([]);
  });

  it("hold no modelled table beyond those, and stay small", () => {
    const tables = csvFiles(BENCH_DATA_FOLDER).filter((path) =>
      read(join(BENCH_DATA_FOLDER, path))?.includes(",modelled"),
    );
    expect(tables).toEqual([...generated].sort());
    const bytes = tables.reduce((sum, path) => sum + statSync(join(BENCH_DATA_FOLDER, path)).size, 0);
    expect(bytes).toBeLessThan(3e6);
  });

  it("pass our own check without a warning", () => {
    const { tables } = checkBenchData(folder, loadGpuCatalog());
    const complaints = tables.flatMap(({ path, findings }) =>
      findings.filter(({ severity }) => severity !== "note").map(({ message }) => `${path}: ${message}`),
    );
    expect(complaints).toEqual([]);
  });

  it("cover every GPU with fitted efficiencies, and say that they are modelled", () => {
    const coverage = listBenchData(folder);
    expect(new Set(coverage.map(({ gpu }) => gpu))).toEqual(new Set(TABLE_GPUS.map((gpu) => gpu.toLowerCase())));
    expect(coverage.filter(({ sources }) => sources.join() !== "modelled")).toEqual([]);
    const h100 = coverage.filter(({ gpu }) => gpu === "h100");
    expect(h100.map(({ family }) => family)).toEqual([
      "all_reduce",
      "gemm",
      "grouped_gemm/decode",
      "grouped_gemm/prefill",
      "mha/decode",
      "mha/prefill",
    ]);
    expect(h100.find(({ family }) => family === "mha/decode")?.shapes).toContain("32-8-128");
    const products = h100.find(({ family }) => family === "gemm")!;
    expect(products.shapes).toContain("4096-6144");
    const bases = loadModelCatalog().filter(
      ({ id, baseId, architecture }) => id === baseId && !hasLatentAttention(architecture),
    );
    expect(products.shapes).toHaveLength(kernelShapes(bases.map(({ architecture }) => architecture)).matrices.length);
    expect(products.dtypes).toEqual(expect.arrayContaining(["bf16", "fp8"]));
  });

  it("give back the model's prices at their shapes and come near between them", () => {
    const gpu = loadGpu("H100");
    const model = createEfficiencyKernelModel(gpu, loadGpuEfficiency("H100")!, "modelled");
    const tables = createTableKernelModel(gpu, readBenchData(folder, gpu).tables, model);
    const ratio = (operator: ReturnType<typeof gemmRowOperator>) =>
      tables.price(operator).us / model.price(operator).us;
    expect(ratio(gemmRowOperator({ m: 64, k: 4096, n: 6144, dtype: "bf16" }))).toBeCloseTo(1, 3);
    for (const m of [5, 100, 700, 3000]) {
      expect(Math.abs(ratio(gemmRowOperator({ m, k: 4096, n: 6144, dtype: "bf16" })) - 1)).toBeLessThan(0.12);
    }
    const heads = { numHeads: 32, numKvHeads: 8, headDim: 128, kvDtype: "bf16" as const };
    for (const [batchSize, kvLen] of [
      [8, 700],
      [40, 1500],
      [128, 4000],
    ] as const) {
      expect(Math.abs(ratio(decodeRowOperator({ ...heads, batchSize, kvLen })) - 1)).toBeLessThan(0.12);
    }
    expect(tables.usage().every(({ numFellBack }) => numFellBack === 0)).toBe(true);
  });
});

describe("kernelShapes", () => {
  it("lists each shape of a model at each TP size it can be split to, once", () => {
    const { matrices, heads, experts } = kernelShapes([
      loadModel("meta-llama/Llama-3.1-8B"),
      loadModel("meta-llama/Llama-3.1-8B"),
    ]);
    expect(heads.map(({ numHeads, numKvHeads }) => `${numHeads}-${numKvHeads}`)).toEqual([
      "4-1",
      "8-2",
      "16-4",
      "32-8",
    ]);
    expect(matrices).toContainEqual({ k: 4096, n: 6144 });
    expect(matrices).toContainEqual({ k: 7168, n: 4096 });
    expect(new Set(matrices.map(({ k, n }) => `${k} ${n}`)).size).toBe(matrices.length);
    expect(experts).toEqual([]);
    expect(kernelShapes([loadModel("mistralai/Mixtral-8x7B-v0.1")]).experts).toHaveLength(4);
  });
});

function read(file: string): string | null {
  return statSync(file, { throwIfNoEntry: false }) === undefined ? null : readFileSync(file, "utf8");
}

function csvFiles(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".csv"))
    .sort();
}
