import type { Operator } from "../model/operator.js";
import type { StepWait } from "./stepWaits.js";

/** µs of one all-reduce in the baselines, whatever its size. @see inference-sim `hardware_config.json`, `allReduceLatency` */
const BASELINE_ALL_REDUCE_US = 20;

/** Kernels that tables of MFU exist for. */
export function isMfuPriced(operator: Operator): boolean {
  return operator.dims.category.endsWith("gemm") || isAttention(operator);
}

/** Attention over keys and values by head, or over latents. */
export function isAttention({ dims: { category } }: Operator): boolean {
  return category.startsWith("attention-") || category.startsWith("mla-");
}

/** All that the baselines price of a step: the layers' matrix products and attention. */
export function isLayerProductOrAttention(operator: Operator): boolean {
  return isMfuPriced(operator) && operator.name !== "lm_head";
}

/** What the baselines add for collectives: a constant each; none on one GPU. */
export function baselineAllReduces(possible: readonly Operator[]): StepWait[] {
  const count = possible
    .filter(({ dims }) => dims.category === "collective" && dims.collective === "all-reduce")
    .reduce((sum, operator) => sum + operator.count, 0);
  return count === 0 ? [] : [{ name: "all_reduce_latency", us: count * BASELINE_ALL_REDUCE_US, count }];
}
