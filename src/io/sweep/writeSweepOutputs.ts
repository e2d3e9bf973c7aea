import { existsSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { Sweep } from "../../core/analysis/sweep/runSweep.js";
import { isMeasured } from "../../core/analysis/sweep/sweepPoint.js";
import type { SweepResult } from "../../core/analysis/sweep/sweepResult.js";
import { type GuidellmLoad, guidellmArgs } from "../guidellm/guidellmSettings.js";
import { GUIDELLM_REPORT_TAIL, guidellmReportHead } from "../guidellm/guidellmWriter.js";
import { writeFileAtomically } from "../results/atomicFile.js";
import { fileWord, readBenchmarkPiece } from "./pointFiles.js";
import { pointCsvLines } from "./pointTable.js";
import { sweepJson } from "./sweepText.js";

/** GuideLLM files of a sweep's servers. */
const GUIDELLM_FILES = /^guidellm(-\d+-.*)?\.json$/;

/**
 * Writes what a finished sweep leaves in its run directory beside its journal: sweep.json, points.csv, and for each
 * server of the grid a GuideLLM file with a benchmark for each of its loads. GuideLLM files of an earlier sweep in the folder
 * go: what they were made of stays.
 * @param pieces files with the points' parts of a GuideLLM file, by index of the point
 * @returns the files written
 * @throws DataFileError when the folder cannot be written
 */
export function writeSweepOutputs(
  folder: string,
  sweep: Sweep,
  result: SweepResult,
  pieces: ReadonlyMap<number, string>,
): string[] {
  const files = [join(folder, "sweep.json"), join(folder, "points.csv")] as const;
  writeFileAtomically(files[0], [sweepJson(result)]);
  writeFileAtomically(files[1], pointCsvLines(result));
  const reports = sweep.series.flatMap((_, index) => writeGuidellmFile(folder, sweep, result, index, pieces));
  const written = reports.map((file) => basename(file));
  const stale = readdirSync(folder).filter((name) => GUIDELLM_FILES.test(name) && !written.includes(name));
  for (const name of stale) rmSync(join(folder, name));
  return [...files, ...reports];
}

/** Puts the benchmarks of a series together: none of probes, which GuideLLM would not have run, or of points that failed. */
function writeGuidellmFile(
  folder: string,
  sweep: Sweep,
  { points, version }: SweepResult,
  index: number,
  pieces: ReadonlyMap<number, string>,
): string[] {
  const { label, configs } = sweep.series[index]!;
  const config = configs[0]!;
  const own = points.filter((point) => point.series === index && isMeasured(point) && !point.isProbe);
  const texts = own.map((point) => pieces.get(point.index) ?? "").filter((piece) => existsSync(piece));
  if (texts.length === 0) return [];
  const loads = own.flatMap(({ rate, streams }) => rate ?? streams ?? []);
  const load: GuidellmLoad =
    sweep.guidellmSize === null
      ? { profile: config.workload.profile.kind, rate: loads.length === 0 ? null : loads }
      : { profile: "sweep", rate: [sweep.guidellmSize] };
  const simulator = { name: "roofserve", version, seed: sweep.seeds[0]! };
  const head = guidellmReportHead({ args: guidellmArgs(config, load), simulator });
  const file = join(folder, `guidellm${sweep.series.length === 1 ? "" : `-${index}-${fileWord(label)}`}.json`);
  writeFileAtomically(file, reportText(head, texts));
  return [file];
}

function* reportText(head: string, pieces: readonly string[]): Generator<string> {
  yield head;
  for (let i = 0; i < pieces.length; i++) yield `${i === 0 ? "" : ",\n"}${readBenchmarkPiece(pieces[i]!)}`;
  yield GUIDELLM_REPORT_TAIL;
}
