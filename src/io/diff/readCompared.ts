import type { ComparedRun } from "../../core/analysis/diff/comparedRun.js";
import type { ComparedPlan } from "../../core/analysis/diff/planDiff.js";
import type { ComparedSweep } from "../../core/analysis/diff/sweepDiff.js";
import { DataFileError } from "../../core/errors/simulationError.js";
import { openResult, PLAN_SCHEMA, RUN_SCHEMA, SWEEP_SCHEMA } from "./openResult.js";
import { readComparedPlan } from "./readComparedPlan.js";
import { readComparedRun } from "./readComparedRun.js";
import { readComparedSweep } from "./readComparedSweep.js";

/** What two paths hold, both of one kind. */
export type ComparedPair =
  | { readonly kind: "run"; readonly a: ComparedRun; readonly b: ComparedRun }
  | { readonly kind: "sweep"; readonly a: ComparedSweep; readonly b: ComparedSweep }
  | { readonly kind: "plan"; readonly a: ComparedPlan; readonly b: ComparedPlan };

const KINDS = { [RUN_SCHEMA]: "run", [SWEEP_SCHEMA]: "sweep", [PLAN_SCHEMA]: "plan" } as const;

/**
 * Reads both sides of a comparison: folders that a run or a sweep wrote, or results alone.
 * @throws DataFileError for what is none, naming what it is where that can be told, and for two of different kinds
 */
export function readComparedPair(pathA: string, pathB: string): ComparedPair {
  const [a, b] = [openResult(pathA), openResult(pathB)];
  const [kind, kindB] = [KINDS[a.schema], KINDS[b.schema]];
  if (kind !== kindB) {
    throw new DataFileError({ file: b.file }, `is a ${kindB}, ${a.file} a ${kind}; give two of one kind`);
  }
  if (kind === "run") return { kind, a: readComparedRun(a), b: readComparedRun(b) };
  if (kind === "sweep") return { kind, a: readComparedSweep(a), b: readComparedSweep(b) };
  return { kind, a: readComparedPlan(a), b: readComparedPlan(b) };
}
