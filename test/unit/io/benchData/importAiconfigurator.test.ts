import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigError, DataFileError } from "../../../../src/core/errors/simulationError.js";
import { createEfficiencyKernelModel } from "../../../../src/core/kernels/efficiencyKernelModel.js";
import {
  decodeRowOperator,
  gemmRowOperator,
  prefillRowOperator,
} from "../../../../src/core/kernels/tables/rowOperator.js";
import { createTableKernelModel } from "../../../../src/core/kernels/tables/tableKernelModel.js";
import { AICONFIGURATOR_FAMILIES } from "../../../../src/io/benchData/aiconfiguratorTables.js";
import { importAiconfigurator } from "../../../../src/io/benchData/importAiconfigurator.js";
import { listBenchData } from "../../../../src/io/benchData/listBenchData.js";
import type { ParquetRow } from "../../../../src/io/benchData/parquetRows.js";
import { readBenchData } from "../../../../src/io/benchData/readBenchData.js";
import { loadGpu, loadGpuEfficiency } from "../../../../src/io/catalog.js";
import { sharedFile } from "../../../reference/sharedFile.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";

const { folder } = temporaryFolder();
const checkout = sharedFile("kernel_data/aiconfigurator");

/** Converts rows of one parquet file; cells by table path. */
function convert(parquet: string, rows: readonly ParquetRow[]) {
  const family = AICONFIGURATOR_FAMILIES.find((candidate) => candidate.parquet === parquet)!;
  const { tables, skipped } = family.convert(rows, "h100", "test");
  return { tables: Object.fromEntries([...tables].map(([path, { rows: cells }]) => [path, cells])), skipped };
}

describe("conversion", () => {
  it("turns ms into µs, sorts rows and merges repeated shapes", () => {
    const row = { gemm_dtype: "bfloat16", m: 8n, n: 4096n, k: 2048n };
    const { tables } = convert("gemm_perf.parquet", [
      { ...row, m: 16n, latency: 0.01 },
      ...[0.008, 0.009, 0.5].map((latency) => ({ ...row, latency })),
    ]);
    expect(tables).toEqual({
      "gemm/h100/data.csv": [
        ["bf16", 2048, 4096, 8, "9", "test"],
        ["bf16", 2048, 4096, 16, "10", "test"],
      ],
    });
  });

  it("counts what it leaves out", () => {
    const row = { gemm_dtype: "bfloat16", m: 8n, n: 4096n, k: 2048n, latency: 0.01 };
    const { skipped } = convert("gemm_perf.parquet", [
      { ...row, gemm_dtype: "nvfp4" },
      { ...row, latency: 0 },
      { ...row, latency: Number.NaN },
      { ...row, latency: null },
      { ...row, m: 0n },
    ]);
    expect(skipped).toEqual({ "element type nvfp4": 1, "latency missing or zero": 3, "malformed shape": 1 });
  });

  it("counts the new token in the context of a decode", () => {
    const row = {
      batch_size: 4,
      isl: 1,
      num_heads: 32,
      num_key_value_heads: 8,
      head_dim: 128,
      step: 1023,
      latency: 0.02,
    };
    const { tables } = convert("generation_attention_perf.parquet", [
      { ...row, attn_dtype: "bfloat16", kv_cache_dtype: "fp8" },
    ]);
    expect(tables).toEqual({ "mha/decode/h100/32-8-128.csv": [["bf16", "fp8", 4, 1024, "20", "test"]] });
  });

  it("takes message sizes as bf16 elements, and only graph launches", () => {
    const row = { num_gpus: 2, message_size: 1024, latency: 0.004 };
    const { tables, skipped } = convert("custom_allreduce_perf.parquet", [
      { ...row, backend: "vllm_graph" },
      { ...row, backend: "vllm_eager", latency: 0.02 },
    ]);
    expect(tables).toEqual({ "all_reduce/h100/data.csv": [["bf16", 2, 2048, "4", "test"]] });
    expect(skipped).toEqual({ "launched outside a CUDA graph": 1 });
  });

  it("shards experts by their TP and EP sizes and prefers balanced routing", () => {
    const row = { moe_dtype: "fp8", num_tokens: 64, hidden_size: 4096, inter_size: 14336, topk: 2, num_experts: 8 };
    const { tables, skipped } = convert("moe_perf.parquet", [
      { ...row, moe_tp_size: 2, moe_ep_size: 4, distribution: "balanced", latency: 0.1 },
      { ...row, moe_tp_size: 2, moe_ep_size: 4, distribution: "power_law_1.2", latency: 0.2 },
    ]);
    expect(tables).toEqual({
      "grouped_gemm/decode/h100/data.csv": [["fp8", 8, 4, 2, 2, 4096, 7168, 16, "100", "test"]],
    });
    expect(skipped).toEqual({ "routing power_law_1.2": 1 });
  });
});

describe("importAiconfigurator", () => {
  it("refuses a folder without the database, a file that is no parquet, and an unknown GPU", async () => {
    await expect(importAiconfigurator(join(folder, "empty"), folder)).rejects.toThrow(
      /has no systems\/data, .*give a checkout of aiconfigurator/,
    );
    const pointer = join(folder, "lfs/systems/data/h100_sxm/gemm/vllm/0.14.0/gemm_perf.parquet");
    mkdirSync(dirname(pointer), { recursive: true });
    writeFileSync(pointer, "version https://git-lfs.github.com/spec/v1\n");
    const broken = importAiconfigurator(join(folder, "lfs"), join(folder, "out"));
    await expect(broken).rejects.toThrow(DataFileError);
    await expect(broken).rejects.toThrow(
      /gemm_perf\.parquet: cannot be read as parquet: .*; is it a Git LFS pointer\?/,
    );
    expect(existsSync(join(folder, "out"))).toBe(false);
    await expect(importAiconfigurator(join(folder, "lfs"), folder, { gpu: "B200" })).rejects.toThrow(ConfigError);
  });

  it.skipIf(checkout === null)("imports a GPU whose tables then price what they measured", async () => {
    const out = join(folder, "imported");
    const seen: string[] = [];
    const files = await importAiconfigurator(checkout!, out, {
      gpu: "A100-80",
      onProgress: ({ file, numFiles }) => seen.push(`${file.split("/").at(-1)} of ${numFiles}`),
    });
    expect(seen[0]).toBe("gemm_perf.parquet of 5");
    expect(files.map(({ gpu, numRowsRead }) => `${gpu} ${numRowsRead}`)).toEqual([
      "a100-80 9240",
      "a100-80 5457",
      "a100-80 5431",
      "a100-80 6360",
      "a100-80 138",
    ]);
    const gpu = loadGpu("A100-80");
    const { tables } = readBenchData(out, gpu);
    expect([
      tables.gemm.length,
      tables.prefillAttention.length,
      tables.decodeAttention.length,
      tables.allReduce.length,
    ]).toEqual([9240, 5049, 5431, 69]);
    const model = createTableKernelModel(
      gpu,
      tables,
      createEfficiencyKernelModel(gpu, loadGpuEfficiency("A100-80")!, "modelled"),
    );
    const errors = [
      ...tables.gemm.map((row) => model.price(gemmRowOperator(row)).us / row.latencyUs),
      ...tables.prefillAttention.map((row) => model.price(prefillRowOperator(row)).us / row.latencyUs),
      ...tables.decodeAttention.map((row) => model.price(decodeRowOperator(row)).us / row.latencyUs),
    ].map((ratio) => Math.abs(ratio - 1));
    expect(model.usage().map(({ numFellBack, numExtrapolated }) => [numFellBack, numExtrapolated])).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    // What is left is noise that monotone prices even out, and rows that ran from the L2 cache.
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(0.03);
    expect(listBenchData(out).every(({ sources }) => sources.join() === "aiconfigurator vllm-0.14.0")).toBe(true);
    expect(readdirSync(join(out, "gemm/a100-80"))).toEqual(["data.csv"]);
  });

  it.skipIf(checkout === null)("takes the wanted vLLM version, or the last one before it", async () => {
    const versionOf = async (vllmVersion?: string) => {
      const options = { gpu: "L40S", ...(vllmVersion === undefined ? {} : { vllmVersion }) };
      const files = await importAiconfigurator(checkout!, join(folder, "versions"), options);
      return files.find(({ parquet }) => parquet === "custom_allreduce_perf.parquet")?.vllmVersion;
    };
    expect(await versionOf("0.15.1")).toBe("0.14.0");
    expect(await versionOf("0.22")).toBe("0.22.0");
    const table = readFileSync(join(folder, "versions/all_reduce/l40s/data.csv"), "utf8");
    expect(table.split("\n")[0]).toBe("dtype,num_gpus,message_bytes,latency_us,source");
  });

  it.skipIf(checkout === null)("takes, unasked, the versions that the efficiencies were fitted to", async () => {
    const out = join(folder, "believed");
    const files = await importAiconfigurator(checkout!, out, { gpu: "L40S" });
    expect(files.map(({ parquet, vllmVersion }) => `${parquet.split("_perf")[0]} ${vllmVersion}`)).toEqual([
      "gemm 0.14.0",
      "gemm 0.24.0",
      "context_attention 0.14.0",
      "context_attention 0.24.0",
      "generation_attention 0.14.0",
      "generation_attention 0.24.0",
      "moe 0.24.0",
      "custom_allreduce 0.14.0",
    ]);
    const lines = readFileSync(join(out, "gemm/l40s/data.csv"), "utf8").trimEnd().split("\n").slice(1);
    const sources = new Set(lines.map((line) => `${line.split(",")[0]} ${line.split(",").at(-1)!.slice(-6)}`));
    expect([...sources]).toEqual(["bf16 0.14.0", "fp8 0.24.0"]);
  });
});
