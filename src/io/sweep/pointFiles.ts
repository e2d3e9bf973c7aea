import { join } from "node:path";
import type { SweepTask } from "../../core/analysis/sweep/sweepTask.js";
import type { SimulationResult } from "../../core/engine/simulate.js";
import { guidellmArgs, guidellmStrategy } from "../guidellm/guidellmSettings.js";
import { guidellmBenchmarkText } from "../guidellm/guidellmWriter.js";
import { writeFileAtomically } from "../results/atomicFile.js";
import { cleanJson } from "../results/cleanJson.js";
import { benchServeResult } from "../vllmBench/benchServeResult.js";

/** What a point is called in file names: `03-gpu-L40S-constant-4-s`. */
type NamedPoint = SweepTask["point"];

/** The point's part of a GuideLLM file, until the sweep is complete and the file is put together. */
export function benchmarkPieceFile(folder: string, { index }: Pick<NamedPoint, "index">): string {
  return join(folder, "benchmarks", `${String(index).padStart(3, "0")}.json`);
}

/**
 * Writes what needs every request of a point: its benchmark for the GuideLLM file, and its `vllm bench serve` result.
 * Each is of the point's first seed, as a real benchmark is of one run.
 */
export function writePointFiles(folder: string, task: SweepTask, { summary, records, specs }: SimulationResult): void {
  const { config } = summary;
  const benchmark = {
    records,
    specs,
    strategy: guidellmStrategy(config),
    args: guidellmArgs(config),
    simulator: { name: "roofserve", version: summary.version, seed: config.seed },
    runIndex: task.benchmarkIndex,
  };
  writeFileAtomically(benchmarkPieceFile(folder, task.point), guidellmBenchmarkText(benchmark));
  const name = `${String(task.point.index).padStart(3, "0")}-${fileWord(task.point.label)}.json`;
  writeFileAtomically(join(folder, "vllm-bench", name), [`${cleanJson(benchServeResult(summary, records))}\n`]);
}

/** A label as part of a file name. */
export function fileWord(label: string): string {
  return label
    .replace(/[^A-Za-z0-9.]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 80);
}
