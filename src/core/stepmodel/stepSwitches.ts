import type { Hypothesis, StepModelName } from "../config/pricingConfig.js";
import type { WaitConstants } from "./stepWaits.js";

/** Which corrections of roofline-v2 are in force: all of them make the additive model, none of them roofline-v2. */
export interface StepSwitches {
  readonly hypotheses: ReadonlySet<Hypothesis>;
  /**
   * Whether the step is priced as it runs: linear layers at the CUDA graph's size, decode attention over the sum of the
   * contexts, prefill attention over each chunk. Else linear layers unpadded, decode attention at the largest context
   * times the batch, and prefill sequences rounded up to powers of two. No hypothesis of its own.
   */
  readonly pricesRealShapes: boolean;
  /**
   * Whether every operator is priced. Else only matrix products of the layers and attention, and a constant per
   * all-reduce: no norms, no sampling, no LM head. No hypothesis of its own.
   */
  readonly pricesAllOperators: boolean;
}

/** The switches of a step model with some of its hypotheses toggled; null for roofline-v1, which has none. */
export function stepSwitches(model: StepModelName, toggled: ReadonlySet<Hypothesis>): StepSwitches | null {
  if (model === "roofline-v1") return null;
  const isFull = model === "additive";
  const all: readonly Hypothesis[] = ["H1", "H2", "H3", "H4", "H5", "H6"];
  return {
    hypotheses: new Set(all.filter((hypothesis) => toggled.has(hypothesis) !== isFull)),
    pricesRealShapes: isFull,
    pricesAllOperators: isFull,
  };
}

/** Whether nothing is switched off: then the additive model itself prices the steps. */
export function isFullModel({ hypotheses, pricesRealShapes, pricesAllOperators }: StepSwitches): boolean {
  return hypotheses.size === 6 && pricesRealShapes && pricesAllOperators;
}

/** What roofline-v2 adds to every step in place of all waits and CPU time, µs. */
export const BASELINE_OVERHEAD_US = 50;

/** The waits of a model without H2: one constant. */
export const BASELINE_WAITS: WaitConstants = {
  kernelGapUsPerLayer: 0,
  rankSkewUsPerDoubling: 0,
  fixedUs: BASELINE_OVERHEAD_US,
};
