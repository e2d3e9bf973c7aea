import { numLayers } from "../model/layerKinds.js";
import type { Operator } from "../model/operator.js";
import type { Parallelism } from "../model/sharding.js";
import type { StepPlan } from "./stepPlan.js";

/** How long the GPU waits in a step, whatever it computes; each ≥ 0. */
export interface WaitConstants {
  /** Between dependent kernels inside a CUDA graph, µs per layer. */
  readonly kernelGapUsPerLayer: number;
  /** For the slowest rank, µs per collective and doubling of the ranks. */
  readonly rankSkewUsPerDoubling: number;
  /** Once per step, µs. */
  readonly fixedUs: number;
}

/**
 * Kernel measurements repeat one kernel back to back, a layer hands over between about ten; measurements of
 * collectives run nothing in between, so that their ranks arrive together. Fitted together by hand on six H100 runs of
 * tensor parallel size 1, 2 and 4; `roofserve evaluate` prints what remains.
 */
export const DEFAULT_WAITS: WaitConstants = { kernelGapUsPerLayer: 7, rankSkewUsPerDoubling: 1.5, fixedUs: 0 };

/** What stands in an operator category's place for a wait. */
export const WAIT_CATEGORY = "wait" as const;

/** A part of a step in which the GPU computes nothing. */
export interface StepWait {
  readonly name: string;
  /** µs per step. */
  readonly us: number;
  /** How often it occurs in a step. */
  readonly count: number;
}

/** The waits of every step of a plan; those of no length are left out. @param operators one of each that a step can have */
export function stepWaits(
  { architecture, parallelism, waits }: Pick<StepPlan, "architecture" | "parallelism" | "waits">,
  operators: readonly Operator[],
): StepWait[] {
  const layers = numLayers(architecture);
  const collectives = numCollectives(operators);
  const skewUs = collectives * waits.rankSkewUsPerDoubling * doublings(parallelism);
  return [
    { name: "kernel_gaps", us: layers * waits.kernelGapUsPerLayer, count: layers },
    { name: "rank_skew", us: skewUs, count: collectives },
    { name: "fixed_overhead", us: waits.fixedUs, count: 1 },
  ].filter(({ us }) => us > 0);
}

function numCollectives(operators: readonly Operator[]): number {
  return operators.filter(({ dims }) => dims.category === "collective").reduce((sum, { count }) => sum + count, 0);
}

function doublings({ tensorParallelSize }: Parallelism): number {
  return Math.log2(tensorParallelSize);
}
