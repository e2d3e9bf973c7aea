import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FixedQueue, Piscina } from "piscina";
import type { SweepTask, TaskOutcome } from "../../core/analysis/sweep/sweepTask.js";
import type { WorkerTask } from "./runSweepTask.js";

/** Worker threads that simulate, one task each at a time; the others wait in order. */
export class SimulationPool {
  readonly #pool: Piscina<WorkerTask, TaskOutcome>;
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
      name: "runSweepTask",
      minThreads: numWorkers,
      maxThreads: numWorkers,
      // In the order of the grid: a stopped sweep then has whole points.
      taskQueue: new FixedQueue(),
      stricterFIFO: true,
    });
  }

  /** Simulates a task in the next free thread. A thread that dies of it (no memory left) is the task's failure. */
  async run(task: SweepTask): Promise<TaskOutcome> {
    try {
      return await this.#pool.run({ ...task, folder: this.#folder });
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
function workerFile(): { filename: string; execArgv?: string[] } {
  const built = fileURLToPath(new URL("./sweepWorker.js", import.meta.url));
  if (existsSync(built)) return { filename: built };
  return { filename: built.replace(/\.js$/, ".ts"), execArgv: ["--import", "tsx"] };
}
