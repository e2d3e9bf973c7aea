import { sweepRunOf } from "../../core/analysis/sweep/sweepRun.js";
import { type SweepTask, simulateTask, type TaskOutcome } from "../../core/analysis/sweep/sweepTask.js";
import { giveToAll, KeptRequests } from "../../core/engine/requestSinks.js";
import { ShortestRejected } from "../rejections.js";
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
    const rejected = new ShortestRejected();
    // Only the files of a point need its requests.
    const kept = folder !== null && task.repetition === 0 ? new KeptRequests() : null;
    const sink = giveToAll(kept === null ? [rejected] : [rejected, kept]);
    const result = simulateTask(deploymentOf(config), task, await specsOf(config), sink);
    const note = rejected.note(result.summary);
    if (folder !== null && kept !== null) {
      writePointFiles(folder, task, { ...result, records: kept.records, specs: kept.specs });
    }
    const run = sweepRunOf(result);
    return { run: note === null ? run : { ...run, notes: [...run.notes, note] } };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}
