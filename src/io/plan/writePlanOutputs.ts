import { join } from "node:path";
import type { PlanResult } from "../../core/analysis/plan/planResult.js";
import { writeFileAtomically } from "../results/atomicFile.js";
import { cleanJson } from "../results/cleanJson.js";
import { planCsvLines } from "./planCsv.js";
import { PLAN_FILES } from "./trialJournal.js";

/** The `roofserve.plan/1` contract as text. */
export function planJson(result: PlanResult): string {
  return `${cleanJson(result)}\n`;
}

/**
 * Writes what a finished plan leaves beside its trials; the result of the plan before is replaced.
 * @returns the files written
 * @throws DataFileError when the folder cannot be written
 */
export function writePlanOutputs(folder: string, result: PlanResult): string[] {
  const files = [join(folder, PLAN_FILES.json), join(folder, PLAN_FILES.csv)] as const;
  writeFileAtomically(files[0], [planJson(result)]);
  writeFileAtomically(files[1], planCsvLines(result));
  return [...files];
}
