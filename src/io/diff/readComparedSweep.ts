import type { ComparedSweep } from "../../core/analysis/diff/sweepDiff.js";
import { checkData } from "../dataFile/dataFile.js";
import { comparedPointSchema, comparedSweepSchema } from "./comparedSchemas.js";
import type { OpenResult } from "./openResult.js";

/**
 * Checks what is compared of a sweep.
 * @throws DataFileError
 */
export function readComparedSweep({ path, file, content }: OpenResult): ComparedSweep {
  const sweep = checkData(comparedSweepSchema, content, file, "write it again with this version");
  for (const point of sweep.points) {
    if (point.error === null)
      checkData(comparedPointSchema, point, file, `in the point ${point.label}; write it again`);
  }
  return { name: path, sweep: sweep as unknown as ComparedSweep["sweep"] };
}
