import type { ComparedPlan } from "../../core/analysis/diff/planDiff.js";
import { checkData } from "../dataFile/dataFile.js";
import { comparedPlanSchema } from "./comparedSchemas.js";
import type { OpenResult } from "./openResult.js";

/**
 * Checks what is compared of a plan.
 * @throws DataFileError
 */
export function readComparedPlan({ path, file, content }: OpenResult): ComparedPlan {
  const plan = checkData(comparedPlanSchema, content, file, "write it again with this version");
  return { name: path, plan: plan as unknown as ComparedPlan["plan"] };
}
