import { type PlanOutcome, type PlanTask, simulatePlanTask } from "../../core/analysis/plan/planTrial.js";
import { deploymentOf } from "../sweep/loadedInputs.js";
import { failureOf } from "../sweep/taskFailure.js";

/** Runs a task of a plan in this process. Never throws: whatever goes wrong is the task's outcome. */
export function runPlanTask(task: PlanTask): PlanOutcome {
  try {
    return { trial: simulatePlanTask(deploymentOf(task.config), task) };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}
