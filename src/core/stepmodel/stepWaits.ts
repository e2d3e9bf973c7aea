import { numLayers } from "../model/layerKinds.js";
import type { Operator } from "../model/operator.js";
import type { StepPlan } from "./stepPlan.js";

/**
 * Time the GPU idles between dependent kernels inside a CUDA graph, µs per layer: kernel measurements repeat one kernel
 * back to back, a layer hands over between about ten. Fitted together with the rank skew on six H100 runs;
 * `roofserve evaluate` prints what remains.
 */
export const KERNEL_GAP_US_PER_LAYER = 7;

/**
 * Time a collective waits for the slowest rank, µs per run and doubling of the ranks: measurements of collectives run
 * nothing in between, so that their ranks arrive together. Fitted on H100 runs of tensor parallel size 2 and 4.
 */
export const RANK_SKEW_US_PER_DOUBLING = 1.5;

/** A part of a step in which the GPU computes nothing. */
export interface StepWait {
  readonly name: "kernel_gaps" | "rank_skew";
  /** µs per step. */
  readonly us: number;
  /** How often it occurs in a step. */
  readonly count: number;
}

/** The waits of every step of a plan. @param operators one of each that a step can have */
export function stepWaits(plan: StepPlan, operators: readonly Operator[]): StepWait[] {
  const layers = numLayers(plan.architecture);
  const gaps: StepWait = { name: "kernel_gaps", us: layers * KERNEL_GAP_US_PER_LAYER, count: layers };
  const { tensorParallelSize } = plan.parallelism;
  if (tensorParallelSize === 1) return [gaps];
  const numCollectives = operators
    .filter(({ dims }) => dims.category === "collective")
    .reduce((sum, { count }) => sum + count, 0);
  const skewUs = numCollectives * RANK_SKEW_US_PER_DOUBLING * Math.log2(tensorParallelSize);
  return [gaps, { name: "rank_skew", us: skewUs, count: numCollectives }];
}
