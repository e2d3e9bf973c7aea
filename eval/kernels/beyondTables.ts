/**
 * What measured tables are worth beyond their rows: tables of H200 are cut down, and the rows that were cut off are
 * predicted from what is left, with the efficiencies of several GPUs behind it, and by these efficiencies alone.
 *
 *   roofserve bench-data import aiconfigurator ../shared/kernel_data/aiconfigurator --gpu H200 --out tables
 *   npx tsx eval/kernels/beyondTables.ts --tables tables
 */
import { parseArgs } from "node:util";
import { createEfficiencyKernelModel } from "../../src/core/kernels/efficiencyKernelModel.js";
import { type KernelTableSet, NO_TABLES, type TableRow } from "../../src/core/kernels/tables/kernelTable.js";
import { decodeRowOperator, gemmRowOperator, prefillRowOperator } from "../../src/core/kernels/tables/rowOperator.js";
import { createTableKernelModel } from "../../src/core/kernels/tables/tableKernelModel.js";
import { transferEfficiency } from "../../src/core/kernels/transferEfficiency.js";
import type { Operator } from "../../src/core/model/operator.js";
import { readBenchData } from "../../src/io/benchData/readBenchData.js";
import { loadGpu, loadGpuEfficiency } from "../../src/io/catalog.js";

/** Whose efficiencies stand behind the tables; H200's own were fitted to these very rows. */
const BEHIND = ["H200", "H100", "A100-80", "L40S", "B200"];
/** Of the rows cut off, every so many are predicted. */
const EVERY = 7;

const { values } = parseArgs({ options: { tables: { type: "string" } } });
if (values.tables === undefined) throw new Error("--tables: missing; give a folder of kernel tables of H200");
const gpu = loadGpu("H200");
const { tables } = readBenchData(values.tables, gpu);
const gemm = tables.gemm.filter(({ dtype, m }) => dtype === "bf16" && m <= 4096);
const decode = tables.decodeAttention.filter(({ kvDtype }) => kvDtype === "bf16");
const prefill = tables.prefillAttention.filter(({ kvDtype, contextLen }) => kvDtype === "bf16" && contextLen === 0);

console.log(`| rows left | ${BEHIND.join(" | ")} |`);
console.log(`|${" --- |".repeat(1 + BEHIND.length)}`);
cut("gemm, k ≤ 2560", "gemm", gemm, gemmRowOperator, ({ k }) => k <= 2560);
cut("gemm, n ≥ 8192 and k ≥ 4096", "gemm", gemm, gemmRowOperator, ({ n, k }) => n >= 8192 && k >= 4096);
cut("gemm, matrices of Llama-3.1-8B", "gemm", gemm, gemmRowOperator, isLlama8b);
cut("gemm, m ≤ 64", "gemm", gemm, gemmRowOperator, ({ m }) => m <= 64);
cut("gemm, m ≥ 256", "gemm", gemm, gemmRowOperator, ({ m }) => m >= 256);
cut(
  "decode, ≤ 64 requests of ≤ 4096",
  "decodeAttention",
  decode,
  decodeRowOperator,
  (row) => row.batchSize <= 64 && row.kvLen <= 4096,
);
cut("decode, contexts ≥ 2048", "decodeAttention", decode, decodeRowOperator, ({ kvLen }) => kvLen >= 2048);
cut("prefill, prompts ≤ 2048", "prefillAttention", prefill, prefillRowOperator, ({ seqLen }) => seqLen <= 2048);
cut("prefill, prompts ≥ 2048", "prefillAttention", prefill, prefillRowOperator, ({ seqLen }) => seqLen >= 2048);

function isLlama8b({ k, n }: { readonly k: number; readonly n: number }): boolean {
  return (k === 4096 && [6144, 4096, 28672].includes(n)) || (n === 4096 && k === 14336);
}

/** Prints mean |ln(predicted / measured)| of rows that were not kept, percent: by the efficiencies alone → with the tables. */
function cut<Row extends TableRow>(
  name: string,
  family: keyof KernelTableSet,
  rows: readonly Row[],
  operatorOf: (row: Row) => Operator,
  isKept: (row: Row) => boolean,
): void {
  const kept = rows.filter(isKept);
  const others = rows.filter((row) => !isKept(row)).filter((_, i) => i % EVERY === 0);
  const errors: string[] = [];
  for (const id of BEHIND) {
    const efficiency = loadGpuEfficiency(id)!;
    const model = createEfficiencyKernelModel(
      gpu,
      id === gpu.id ? efficiency : transferEfficiency(efficiency, gpu),
      "transferred",
    );
    const tabled = createTableKernelModel(gpu, { ...NO_TABLES, [family]: kept }, model);
    const error = (us: (operator: Operator) => number) => {
      const sum = others.reduce((total, row) => total + Math.abs(Math.log(us(operatorOf(row)) / row.latencyUs)), 0);
      return ((100 * sum) / others.length).toFixed(1);
    };
    errors.push(`${error((operator) => model.price(operator).us)} → ${error((operator) => tabled.price(operator).us)}`);
  }
  console.log(`| ${name} | ${errors.join(" | ")} |`);
}
