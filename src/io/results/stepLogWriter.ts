import { StepLogger } from "../../core/analysis/stepLogger.js";
import type { Server } from "../../core/engine/createServer.js";
import type { RunConfig } from "../../core/engine/runConfig.js";
import type { StepObserver } from "../../core/engine/runResult.js";
import type { ScheduledStep } from "../../core/scheduler/scheduledStep.js";
import type { Scheduler } from "../../core/scheduler/scheduler.js";
import { AtomicFile } from "./atomicFile.js";

/**
 * Writes a step log while the run goes, in bounded memory. The file appears when the run has ended well; until then,
 * and when it failed, there is the old one or none.
 */
export class StepLogWriter implements StepObserver {
  readonly file: string;
  #output: AtomicFile | null = null;
  #logger: StepLogger | null = null;

  constructor(file: string) {
    this.file = file;
  }

  onStart(server: Server, config: RunConfig): void {
    this.#output = new AtomicFile(this.file);
    this.#logger = new StepLogger(server, config);
    this.#output.write(`${JSON.stringify(this.#logger.header)}\n`);
  }

  onStep(step: ScheduledStep, startUs: number, endUs: number, scheduler: Scheduler): void {
    const logged = this.#logger?.log(step, startUs, endUs, scheduler);
    this.#output?.write(`${JSON.stringify(logged)}\n`);
  }

  /**
   * Lets a run be watched and puts the file in its place.
   * @throws DataFileError when it cannot be written, and whatever `run` throws
   */
  during<T>(run: () => T): T {
    try {
      const result = run();
      if (this.#logger !== null) this.#output?.write(`${JSON.stringify(this.#logger.end())}\n`);
      this.#output?.commit();
      return result;
    } catch (error) {
      this.#output?.discard();
      throw error;
    }
  }
}
