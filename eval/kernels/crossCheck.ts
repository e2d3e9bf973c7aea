/**
 * Compares the shipped efficiencies with kernel measurements they were not fitted to (another project's H100 and
 * A100 tables of linear layers and all-reduces) and prints the agreement.
 *
 *   npx tsx eval/kernels/crossCheck.ts --data ../shared/kernel_data
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "csv-parse/sync";
import { collectiveUs } from "../../src/core/kernels/collectiveKernel.js";
import { CompiledSurface } from "../../src/core/kernels/efficiencySurface.js";
import { gemmUs } from "../../src/core/kernels/gemmKernel.js";
import { gpuRoofs } from "../../src/core/kernels/gpuRoofs.js";
import { loadGpu, loadGpuEfficiency } from "../../src/io/catalog.js";

const TOKEN_BOUNDS = [16, 64, 256, 1024];
const { values } = parseArgs({ options: { data: { type: "string" } } });
if (values.data === undefined) throw new Error("--data: missing; give the folder of the kernel tables");

for (const [gpuId, folder] of [
  ["H100", "h100"],
  ["A100-80", "a100"],
] as const) {
  const efficiency = loadGpuEfficiency(gpuId)!;
  const roofs = gpuRoofs(loadGpu(gpuId));
  const fit = efficiency.gemm.bf16;
  const surface = fit.surface === null ? null : new CompiledSurface(fit.surface);
  const errors = new Map<string, number[]>();
  for (const row of readCsv(join(values.data, folder, "linear_fp16.csv"))) {
    const numTokens = Number(row.num_tokens);
    const tp = Number(row.tp);
    const hidden = Number(row.n_embd);
    const headSize = hidden / Number(row.n_head);
    const qkv = ((Number(row.n_head) + 2 * Math.max(tp, Number(row.n_kv_head))) / tp) * headSize;
    const up = ((row.gated_mlp === "True" ? 2 : 1) * Number(row.n_expanded_embd)) / tp;
    const layers = [
      ["attn_pre_proj_us", hidden, qkv],
      ["attn_post_proj_us", hidden / tp, hidden],
      ["mlp_up_proj_us", hidden, up],
      ["mlp_down_proj_us", Number(row.n_expanded_embd) / tp, hidden],
    ] as const;
    for (const [column, k, n] of layers) {
      const us = Number(row[column]);
      if (!(us > 0) || !(numTokens > 0)) continue;
      const bound = TOKEN_BOUNDS.find((limit) => numTokens <= limit);
      const bucket = bound === undefined ? "more tokens" : `≤ ${bound} tokens`;
      const error = gemmUs(fit, surface, roofs, numTokens, k, n, "bf16") / us - 1;
      errors.set(bucket, [...(errors.get(bucket) ?? []), error]);
    }
  }
  for (const [bucket, some] of errors) print(`${gpuId} linear ${bucket}`, some);
  const allReduce = new Map<string, number[]>();
  for (const row of readCsv(join(values.data, folder, `all_reduce_${folder}_dgx.csv`))) {
    const numRanks = Number(row.num_workers);
    const bytes = Number(row.size_bytes);
    if (numRanks > 8 || Number(row.devices_per_node) !== numRanks) continue;
    const bucket = `TP${numRanks} ${bytes <= 2 ** 20 ? "≤ 1 MiB" : "> 1 MiB"}`;
    const us = collectiveUs(efficiency.allReduce, roofs, "all-reduce", numRanks, bytes);
    allReduce.set(bucket, [...(allReduce.get(bucket) ?? []), us / Number(row.latency_us_median_over_ranks) - 1]);
  }
  for (const [bucket, some] of allReduce) print(`${gpuId} all-reduce ${bucket}`, some);
}

function readCsv(path: string): Record<string, string>[] {
  return parse(readFileSync(path, "utf8"), { columns: true });
}

function print(name: string, errors: readonly number[]): void {
  const mean = (values: readonly number[]): string =>
    ((100 * values.reduce((sum, value) => sum + value, 0)) / values.length).toFixed(1);
  const line = `${name}: ${errors.length} rows, MAPE ${mean(errors.map(Math.abs))} %, bias ${mean(errors)} %`;
  process.stdout.write(`${line}\n`);
}
