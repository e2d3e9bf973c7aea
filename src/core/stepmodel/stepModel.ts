import type { ScheduledBatch } from "../batch/scheduledBatch.js";
import type { KernelLookup } from "../kernels/kernelLookup.js";
import type { KernelPrice } from "../kernels/kernelModel.js";
import type { Operator, OperatorCategory } from "../model/operator.js";
import type { StepWait, WAIT_CATEGORY } from "./stepWaits.js";

/** One priced operator of a step, over all the layers it runs in. */
export interface StepComponent {
  readonly operator: Operator;
  /** µs of all `operator.count` runs. */
  readonly us: number;
  readonly price: KernelPrice;
}

/** A component with what nobody asks for in the hot path. */
export interface ExplainedComponent extends StepComponent {
  readonly lookup: KernelLookup;
  /**
   * Fraction of its binding roof that the component achieves in `us`, (0, 1]. null where the model gives it less time than
   * its own roof asks, which only those do that bind or weight a whole step at once: there it says nothing of a kernel.
   */
  readonly efficiency: number | null;
}

/** A step taken apart; the components and the waits add up to the step, each name at most once. */
export interface StepBreakdown {
  readonly numTokens: number;
  /** Rows the linear layers run over. */
  readonly paddedTokens: number;
  readonly components: readonly ExplainedComponent[];
  readonly waits: readonly StepWait[];
}

/** What kind of kernel a component is, or that it is none. */
export type ComponentCategory = OperatorCategory | typeof WAIT_CATEGORY;

/** Prices one engine step on the GPU. Implementations keep no state between steps. */
export interface StepModel {
  /** Names of the components, in the order of `componentsUs`. */
  readonly componentNames: readonly string[];
  /** Whether it can price requests that are known by the sum and maximum of their contexts only (`batch.numLockstep`). */
  readonly pricesLockstep: boolean;
  /** Parallel to `componentNames`. */
  readonly componentCategories: readonly ComponentCategory[];
  /**
   * @param componentsUs length `componentNames.length`; each component's µs is ADDED, so a run can keep one sum
   * @returns GPU µs of the step (fractional), > 0 for a non-empty batch
   */
  gpuUs(batch: ScheduledBatch, componentsUs: Float64Array): number;
  /** The same prices as `gpuUs`, kept apart for people to question; not for the hot path. */
  breakdown(batch: ScheduledBatch): StepBreakdown;
}
