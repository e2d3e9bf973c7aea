import { sweepRunOf } from "../../core/analysis/sweep/sweepRun.js";
import { type SweepTask, simulateTask, type TaskOutcome } from "../../core/analysis/sweep/sweepTask.js";
import { rejectionNote } from "../rejections.js";
import { deploymentOf, specsOf } from "./loadedInputs.js";
import { writePointFiles } from "./pointFiles.js";
import { failureOf } from "./taskFailure.js";

/** A task as it travels to a worker. */
export interface WorkerTask extends SweepTask {
  /** Folder for the files of a point's first seed; null = none. */
  readonly folder: string | null;
}

/** Runs a task in this process. Never throws: whatever goes wrong is the task's outcome. */
export async function runSweepTask(task: WorkerTask): Promise<TaskOutcome> {
  try {
    const { config, folder } = task;
    const result = simulateTask(deploymentOf(config), task, await specsOf(config));
    const rejected = rejectionNote(result);
    if (folder !== null && task.repetition === 0) writePointFiles(folder, task, result);
    const run = sweepRunOf(result);
    return { run: rejected === null ? run : { ...run, notes: [...run.notes, rejected] } };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}
