import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FixedQueue, Piscina } from "piscina";
import type { PlanOutcome, PlanTask } from "../../core/analysis/plan/planTrial.js";
import type { SweepTask, TaskFailure, TaskOutcome } from "../../core/analysis/sweep/sweepTask.js";
import type { WorkerTask } from "./runSweepTask.js";

/** Worker threads that simulate, one task each at a time; the others wait in order. */
export class SimulationPool {
  readonly #pool: Piscina<WorkerTask | PlanTask, TaskOutcome | PlanOutcome>;
  readonly #folder: string | null;
  #isClosed = false;

  /**
   * @param numWorkers threads, all started at once
   * @param folder where tasks leave the files of their points; null = nowhere
   */
  constructor(numWorkers: number, folder: string | null) {
    this.#folder = folder;
    this.#pool = new Piscina({
      ...workerFile(),
      // Piscina looks for a task of this name when a thread starts, whichever comes first.
      name: "runSweepTask",
      minThreads: numWorkers,
      maxThreads: numWorkers,
      // In the order of the grid: a stopped sweep then has whole points.
      taskQueue: new FixedQueue(),
      stricterFIFO: true,
    });
  }

  /** Simulates a task of a sweep in the next free thread. */
  run(task: SweepTask): Promise<TaskOutcome> {
    return this.#run<TaskOutcome>("runSweepTask", { ...task, folder: this.#folder });
  }

  /** Simulates a task of a plan in the next free thread. */
  runPlan(task: PlanTask): Promise<PlanOutcome> {
    return this.#run<PlanOutcome>("runPlanTask", task);
  }

  /** A thread that dies of a task (no memory left) is the task's failure. @param name what `sweepWorker.ts` calls it */
  async #run<T>(name: string, task: WorkerTask | PlanTask): Promise<T | { readonly failure: TaskFailure }> {
    try {
      return (await this.#pool.run(task, { name })) as T;
    } catch (error) {
      if (this.#isClosed) throw error;
      return { failure: { code: "invariant", message: error instanceof Error ? error.message : String(error) } };
    }
  }

  /** Ends the threads at once; tasks under way reject. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#pool.destroy();
  }
}

/** The worker beside this module. Programs that run from the sources (tests, eval) have TypeScript there, which tsx loads. */
function workerFile(): { filename: string; execArgv?: string[]; env?: NodeJS.ProcessEnv } {
  const built = fileURLToPath(new URL("./sweepWorker.js", import.meta.url));
  if (existsSync(built)) return { filename: built };
  // A thread never gets round to writing tsx's cache: it would only leave the files open.
  const env = { ...process.env, TSX_DISABLE_CACHE: "1" };
  return { filename: built.replace(/\.js$/, ".ts"), execArgv: ["--import", "tsx"], env };
}
