import type { ScheduledBatch } from "../batch/scheduledBatch.js";

/** Prices one engine step on the GPU. Implementations keep no state between steps. */
export interface StepModel {
  /** Names of the components, in the order of `componentsUs`. */
  readonly componentNames: readonly string[];
  /**
   * @param componentsUs length `componentNames.length`; each component's µs is ADDED, so a run can keep one sum
   * @returns GPU µs of the step (fractional), > 0 for a non-empty batch
   */
  gpuUs(batch: ScheduledBatch, componentsUs: Float64Array): number;
}
