import { sweepRunOf } from "../../core/analysis/sweep/sweepRun.js";
import {
  type SweepTask,
  simulateTask,
  type TaskFailure,
  type TaskOutcome,
} from "../../core/analysis/sweep/sweepTask.js";
import type { Deployment } from "../../core/engine/createServer.js";
import type { RunConfig } from "../../core/engine/runConfig.js";
import { SimulationError } from "../../core/errors/simulationError.js";
import type { RequestSpec } from "../../core/request/requestSpec.js";
import { loadDeployment } from "../loadDeployment.js";
import { rejectionNote } from "../rejections.js";
import { readWorkloadSpecs } from "../workloadSpecs.js";
import { writePointFiles } from "./pointFiles.js";

/** A task as it travels to a worker. */
export interface WorkerTask extends SweepTask {
  /** Folder for the files of a point's first seed; null = none. */
  readonly folder: string | null;
}

/** Loads kept per process: the servers of a grid come one after the other, a few at a time. */
const MAX_LOADED = 8;

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

const deployments = new Map<string, Deployment>();

/**
 * Loads a deployment once: with it go the prices of its steps, which later runs find there. With kernel tables it is loaded
 * anew: its notes say what its own run found no table for.
 */
function deploymentOf(config: RunConfig): Deployment {
  const { model, gpu, benchData, pricing } = config;
  if (benchData !== null) return loadDeployment(config);
  // Only a calibration, which holds for one server, looks at the engine.
  const engine = pricing.calibration === null ? null : config.engine;
  return kept(deployments, JSON.stringify([model, gpu, pricing, engine]), () => loadDeployment(config));
}

const traces = new Map<string, Promise<readonly RequestSpec[] | null>>();

async function specsOf({ workload }: RunConfig): Promise<readonly RequestSpec[] | null> {
  const { data } = workload;
  if (data.kind !== "trace") return null;
  return kept(traces, data.path, async () => (await readWorkloadSpecs(workload)).specs);
}

function kept<T>(loaded: Map<string, T>, key: string, load: () => T): T {
  const known = loaded.get(key);
  if (known !== undefined) return known;
  const value = load();
  const [oldest] = loaded.keys();
  if (loaded.size >= MAX_LOADED && oldest !== undefined) loaded.delete(oldest);
  loaded.set(key, value);
  return value;
}

/** An error as data: threads and files carry text. What is no error of the user's is a bug, and keeps its stack. */
function failureOf(error: unknown): TaskFailure {
  if (error instanceof SimulationError && error.code !== "invariant") {
    // One line: it stands in a table and in a column.
    return { code: error.code, message: error.message.replaceAll("\n", "; ") };
  }
  if (error instanceof Error && "syscall" in error) return { code: "data-file", message: error.message };
  return { code: "invariant", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
