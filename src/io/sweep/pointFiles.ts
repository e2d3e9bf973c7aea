import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import type { SweepTask } from "../../core/analysis/sweep/sweepTask.js";
import type { SimulationResult } from "../../core/engine/simulate.js";
import { guidellmArgs, guidellmStrategy } from "../guidellm/guidellmSettings.js";
import { guidellmBenchmarkText } from "../guidellm/guidellmWriter.js";
import { writeBytesAtomically, writeFileAtomically } from "../results/atomicFile.js";
import { cleanJson } from "../results/cleanJson.js";
import { benchServeResult } from "../vllmBench/benchServeResult.js";
import { taskKey } from "./taskKey.js";

/** Characters of a key that tell the files of one sweep apart beside their labels. */
const SHORT_KEY = 8;

/** Of zlib: a ninth of the size in 13 ms for 2,000 requests. */
const FASTEST = { level: 1 };

/** Holds a run's part of a GuideLLM file, which is put together anew whenever a sweep ends. */
export function benchmarkPieceFile(folder: string, task: Pick<SweepTask, "config" | "benchmarkIndex">): string {
  return join(folder, "benchmarks", `${taskKey(task)}.json.gz`);
}

/** The text of a piece. @throws where it is not there */
export function readBenchmarkPiece(file: string): string {
  return gunzipSync(readFileSync(file)).toString("utf8");
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
  const piece = gzipSync([...guidellmBenchmarkText(benchmark)].join(""), FASTEST);
  writeBytesAtomically(benchmarkPieceFile(folder, task), piece);
  const name = `${fileWord(task.point.label)}-${taskKey(task).slice(0, SHORT_KEY)}.json`;
  writeFileAtomically(join(folder, "vllm-bench", name), [`${cleanJson(benchServeResult(summary, records))}\n`]);
}

/** A label as part of a file name. */
export function fileWord(label: string): string {
  return label
    .replace(/[^A-Za-z0-9.]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 80);
}
