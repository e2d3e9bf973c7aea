import type { StepObserver } from "../../core/engine/runResult.js";
import type { ScheduledStep } from "../../core/scheduler/scheduledStep.js";
import type { Scheduler } from "../../core/scheduler/scheduler.js";

/** One engine step as the trace shows it; times in µs of the run. */
export interface TracedStep {
  readonly startUs: number;
  readonly endUs: number;
  readonly numTokens: number;
  /** Tokens of rows that were not decodes. */
  readonly numPrefillTokens: number;
  readonly numDecodes: number;
  readonly numRequests: number;
  readonly numRunning: number;
  readonly numWaiting: number;
  /** Fraction of KV blocks in use, 0–1. */
  readonly kvUsageFraction: number;
}

/**
 * Keeps the steps of a run for the trace file, in bounded memory: when `maxSteps` are kept, every second one is
 * dropped and from then on only every second, fourth, … step is taken.
 */
export class StepTraceRecorder implements StepObserver {
  readonly #maxSteps: number;
  #steps: TracedStep[] = [];
  #stride = 1;
  #numSeen = 0;

  constructor(maxSteps = 50_000) {
    this.#maxSteps = maxSteps;
  }

  onStep(step: ScheduledStep, startUs: number, endUs: number, scheduler: Scheduler): void {
    if (this.#numSeen++ % this.#stride !== 0) return;
    const { batch } = step;
    let numDecodes = batch.numLockstep;
    let numPrefillTokens = 0;
    for (let row = 0; row < batch.numRows; row++) {
      if (batch.isDecode[row] === 1) numDecodes++;
      else numPrefillTokens += batch.numNewTokens[row]!;
    }
    this.add({
      startUs,
      endUs,
      numTokens: batch.numTokens,
      numPrefillTokens,
      numDecodes,
      numRequests: batch.numRequests,
      numRunning: scheduler.numRunning,
      numWaiting: scheduler.numWaiting,
      kvUsageFraction: scheduler.kvUsageFraction,
    });
  }

  /** Kept steps, in time order. */
  get steps(): readonly TracedStep[] {
    return this.#steps;
  }

  /** Steps of the run per step kept. */
  get stride(): number {
    return this.#stride;
  }

  private add(step: TracedStep): void {
    this.#steps.push(step);
    if (this.#steps.length < this.#maxSteps) return;
    this.#steps = this.#steps.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }
}
