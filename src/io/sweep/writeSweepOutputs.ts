import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Sweep } from "../../core/analysis/sweep/runSweep.js";
import { isMeasured, type PointResult } from "../../core/analysis/sweep/sweepPoint.js";
import type { SweepResult } from "../../core/analysis/sweep/sweepResult.js";
import { guidellmArgs } from "../guidellm/guidellmSettings.js";
import { GUIDELLM_REPORT_TAIL, guidellmReportHead } from "../guidellm/guidellmWriter.js";
import { writeFileAtomically } from "../results/atomicFile.js";
import { benchmarkPieceFile, fileWord } from "./pointFiles.js";
import { pointCsvLines } from "./pointTable.js";
import { sweepJson } from "./sweepText.js";

/**
 * Writes what a finished sweep leaves in its run directory beside its journal: sweep.json, points.csv, and for each
 * server of the grid a GuideLLM file with a benchmark for each of its loads.
 * @returns the files written
 * @throws DataFileError when the folder cannot be written
 */
export function writeSweepOutputs(folder: string, sweep: Sweep, result: SweepResult): string[] {
  const files = [join(folder, "sweep.json"), join(folder, "points.csv")] as const;
  writeFileAtomically(files[0], [sweepJson(result)]);
  writeFileAtomically(files[1], pointCsvLines(result));
  const reports = sweep.series.flatMap((series, index) => {
    const word = sweep.series.length === 1 ? "" : `-${index}-${fileWord(series.label)}`;
    const file = join(folder, `guidellm${word}.json`);
    const own = result.points.filter((point) => point.series === index);
    const points = own.filter(isMeasured);
    if (!writeGuidellmFile(file, series.configs[0]!, points, result.version)) return [];
    // What failed may work another time: then the others are needed again.
    if (points.length === own.length)
      for (const point of own) rmSync(benchmarkPieceFile(folder, point), { force: true });
    return [file];
  });
  const pieces = join(folder, "benchmarks");
  if (existsSync(pieces) && readdirSync(pieces).length === 0) rmdirSync(pieces);
  return [...files, ...reports];
}

/**
 * Puts the benchmarks of a series together. Without their pieces, which may be large and go when the sweep is complete, the
 * file is there already.
 */
function writeGuidellmFile(
  file: string,
  config: Sweep["series"][number]["configs"][number],
  points: readonly PointResult[],
  version: string,
): boolean {
  const pieces = points.map((point) => benchmarkPieceFile(dirname(file), point));
  if (pieces.length === 0 || !pieces.every((piece) => existsSync(piece))) return false;
  const simulator = { name: "roofserve", version, seed: config.seed };
  writeFileAtomically(file, reportText(guidellmReportHead({ args: guidellmArgs(config), simulator }), pieces));
  return true;
}

function* reportText(head: string, pieces: readonly string[]): Generator<string> {
  yield head;
  for (let i = 0; i < pieces.length; i++) yield `${i === 0 ? "" : ",\n"}${readFileSync(pieces[i]!, "utf8")}`;
  yield GUIDELLM_REPORT_TAIL;
}
