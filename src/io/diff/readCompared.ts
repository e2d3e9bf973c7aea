import type { ComparedRun } from "../../core/analysis/diff/comparedRun.js";
import type { ComparedSweep } from "../../core/analysis/diff/sweepDiff.js";
import { DataFileError } from "../../core/errors/simulationError.js";
import { type OpenResult, openResult, RUN_SCHEMA } from "./openResult.js";
import { readComparedRun } from "./readComparedRun.js";
import { readComparedSweep } from "./readComparedSweep.js";

/** What two paths hold, both of one kind. */
export type ComparedPair =
  | { readonly kind: "run"; readonly a: ComparedRun; readonly b: ComparedRun }
  | { readonly kind: "sweep"; readonly a: ComparedSweep; readonly b: ComparedSweep };

/**
 * Reads both sides of a comparison: folders that a run or a sweep wrote, or their results alone.
 * @throws DataFileError for what is neither, naming what it is where that can be told, and for a run beside a sweep
 */
export function readComparedPair(pathA: string, pathB: string): ComparedPair {
  const [a, b] = [openResult(pathA), openResult(pathB)];
  if (a.schema !== b.schema) {
    throw new DataFileError({ file: b.file }, `is a ${wordOf(b)}, ${a.file} a ${wordOf(a)}; give two of one kind`);
  }
  return a.schema === RUN_SCHEMA
    ? { kind: "run", a: readComparedRun(a), b: readComparedRun(b) }
    : { kind: "sweep", a: readComparedSweep(a), b: readComparedSweep(b) };
}

function wordOf({ schema }: OpenResult): string {
  return schema === RUN_SCHEMA ? "run" : "sweep";
}
