/**
 * What a characterisation is worth, without one of our own: other people's kernel tables stand in for the
 * micro-benchmarks. Prints what they say of each GPU's memory beside what its kernels are priced at, then how wrong
 * steps are on a GPU priced with another one's efficiencies, without and with its memory characterised.
 *
 *   npx tsx eval/characterize/characterizeTables.ts --data ../shared/kernel_data
 */
import { parseArgs } from "node:util";
import { achievedFractions } from "../../src/core/kernels/characterization/achievedFractions.js";
import type { Characterization } from "../../src/core/kernels/characterization/characterization.js";
import { characterizeEfficiency } from "../../src/core/kernels/characterization/characterizeEfficiency.js";
import { fitCharacterization } from "../../src/core/kernels/characterization/fitCharacterization.js";
import { createEfficiencyKernelModel } from "../../src/core/kernels/efficiencyKernelModel.js";
import type { GpuEfficiency } from "../../src/core/kernels/gpuEfficiency.js";
import { transferEfficiency } from "../../src/core/kernels/transferEfficiency.js";
import { loadGpu, loadGpuEfficiency } from "../../src/io/catalog.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";
import { FITTED_GPUS, gpuUs, STEP_MODELS } from "../transfer/pricedSteps.js";
import { type TableBandwidth, tableBandwidths } from "./tableBandwidths.js";

const BATCHES = {
  decode: ["decode:1@1024", "decode:32@1024", "decode:128@2048", "decode:32@8000"],
  prefill: ["prefill:2048@0", "decode:32@1024,prefill:512@0"],
} as const;
const KV_BLOCK_BYTES = 32_768;

const { values } = parseArgs({ options: { data: { type: "string" } } });
if (values.data === undefined) throw new Error("--data: missing; give the folder of the kernel tables");
const bandwidths = new Map<string, TableBandwidth[]>();
for (const id of FITTED_GPUS) bandwidths.set(id, await tableBandwidths(values.data, id));

print("GPU | reads | fraction of datasheet | spread % | rows | in L2 | kernels priced at");
for (const [id, tables] of bandwidths) {
  const inForce = achievedFractions(loadGpuEfficiency(id)!);
  for (const table of tables) {
    const fit = characterizationOf(id, [table])?.[table.pattern] ?? null;
    const cells = fit && [
      fit.fraction.toFixed(3),
      (100 * fit.spreadFraction).toFixed(1),
      fit.numRows,
      fit.numCachedRows,
      inForce[table.pattern].toFixed(3),
    ];
    print([id, table.what, ...(cells ?? ["rows too small"])].join(" | "));
  }
}

print(
  "\npriced GPU | efficiencies of | batches | mean |error| %: as they are | weights and KV read | copies and KV read",
);
const all = { decode: [[], [], []] as number[][], prefill: [[], [], []] as number[][] };
for (const target of FITTED_GPUS) {
  for (const source of FITTED_GPUS.filter((id) => id !== target)) {
    for (const kind of ["decode", "prefill"] as const) {
      const errors = borrowedEfficiencies(target, source).map((efficiency) => meanError(target, efficiency, kind));
      for (const [i, error] of errors.entries()) all[kind][i]!.push(error);
      print([target, source, kind, ...errors.map(percent)].join(" | "));
    }
  }
}
for (const kind of ["decode", "prefill"] as const) {
  print(["all pairs", "mean", kind, ...all[kind].map((errors) => percent(mean(errors)))].join(" | "));
  print(["all pairs", "worst", kind, ...all[kind].map((errors) => percent(Math.max(...errors)))].join(" | "));
}

/** A fit of table rows; null where none of them is large enough. */
function characterizationOf(id: string, tables: readonly TableBandwidth[]): Characterization | null {
  const rows = { bandwidth: tables.flatMap((table) => table.rows), launchGap: [] };
  const options = { file: id, gpu: loadGpu(id), source: "kernel tables", kvBlockBytes: KV_BLOCK_BYTES };
  const isLarge = rows.bandwidth.some(({ bytes }) => bytes > 4 * options.gpu.memory.l2Bytes);
  return isLarge ? fitCharacterization(rows, options).characterization : null;
}

/** Another GPU's efficiencies, as they are; and characterised by the target's reads, or by its copies. */
function borrowedEfficiencies(target: string, source: string): GpuEfficiency[] {
  const gpu = loadGpu(target);
  const borrowed = transferEfficiency(loadGpuEfficiency(source)!, gpu);
  const tables = bandwidths.get(target)!;
  const isRead = ({ what }: TableBandwidth) => what.startsWith("weights") || what.startsWith("KV");
  const reads = characterizationOf(target, tables.filter(isRead))!;
  // The copy with the most rows that memory must have served.
  const copies = tables
    .filter((table) => !isRead(table))
    .flatMap((table) => characterizationOf(target, [table])?.sequential ?? [])
    .sort((a, b) => b.numRows - a.numRows);
  const copied: Characterization = { ...reads, sequential: copies[0]! };
  return [borrowed, characterizeEfficiency(borrowed, gpu, reads), characterizeEfficiency(borrowed, gpu, copied)];
}

/** Mean |relative error| of step times against the GPU's own fit. */
function meanError(target: string, efficiency: GpuEfficiency, kind: keyof typeof BATCHES): number {
  const kernelModel = createEfficiencyKernelModel(loadGpu(target), efficiency, "transferred");
  const errors = STEP_MODELS.flatMap((model) => {
    const own = loadDeployment({ model, gpu: target });
    return BATCHES[kind].map((batch) => Math.abs(gpuUs({ ...own, kernelModel }, batch) / gpuUs(own, batch) - 1));
  });
  return mean(errors);
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

function percent(fraction: number): string {
  return (100 * fraction).toFixed(1);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
