import type { ScheduledBatch } from "../batch/scheduledBatch.js";
import type { GpuRoofs } from "../kernels/gpuRoofs.js";
import { physicalFloor } from "../kernels/tables/physicalFloor.js";
import type { Operator } from "../model/operator.js";
import { operators } from "../model/operators.js";
import { prefillWeight } from "./mixedWeights.js";
import { possibleOperators } from "./operatorPrices.js";
import { type PhaseRows, phaseRows, separatePhases, tokensOf } from "./phaseRows.js";
import type { StepBreakdown, StepComponent, StepModel } from "./stepModel.js";
import type { StepPlan } from "./stepPlan.js";
import { BASELINE_ALL_REDUCE_US, BASELINE_OVERHEAD_US } from "./stepSwitches.js";
import type { StepWait } from "./stepWaits.js";

/**
 * The calibrated constants of the model, for all its GPUs alike.
 * `mfu`: of matrix products; the published 0.65 × 2.20 for prefill is above the chip's peak and held at it.
 * `bandwidthFraction`: 0.72 in general, times a factor per phase. `attentionFraction`: attention runs at a tenth of the
 * matrix peak. `tpExponent`: prefill's FLOPs are divided by TP to this power, decode's by TP.
 * @see inference-sim `hardware_config.json` @ 006cae8; the exponent 0.68 as the seed of this project gives it
 */
const PREFILL = { mfu: Math.min(1, 0.65 * 2.2), bandwidthFraction: 0.72 * 0.75, tpExponent: 0.68 };
const DECODE = { mfu: 0.12 * 1.8, bandwidthFraction: 0.72 * 0.92, tpExponent: 1 };
const ATTENTION_FRACTION = 0.1;

type PhaseConstants = typeof PREFILL;

/**
 * roofline-v1, to be compared with: FLOPs and bytes of a phase added up, one fixed MFU and one bandwidth per phase, the
 * longer of the two; TP that helps prefill less than linearly; a weighted mix of the phases; a constant per all-reduce
 * and per step. It knows no shapes, so no table changes it. Norms, sampling and the LM head are not in it.
 */
export class RooflineV1StepModel implements StepModel {
  readonly componentNames: readonly string[];
  readonly #plan: StepPlan;
  readonly #roofs: GpuRoofs;
  readonly #slotOf: ReadonlyMap<string, number>;
  readonly #waits: readonly StepWait[];

  constructor(plan: StepPlan, roofs: GpuRoofs) {
    this.#plan = plan;
    this.#roofs = roofs;
    const possible = possibleOperators(plan);
    const numAllReduces = possible
      .filter(({ dims }) => dims.category === "collective" && dims.collective === "all-reduce")
      .reduce((sum, { count }) => sum + count, 0);
    this.#waits = [
      { name: "all_reduce_latency", us: numAllReduces * BASELINE_ALL_REDUCE_US, count: numAllReduces },
      { name: "fixed_overhead", us: BASELINE_OVERHEAD_US, count: 1 },
    ].filter(({ us }) => us > 0);
    this.componentNames = [...possible.filter(isCounted), ...this.#waits].map(({ name }) => name);
    this.#slotOf = new Map(this.componentNames.map((name, slot) => [name, slot]));
  }

  gpuUs(batch: ScheduledBatch, componentsUs: Float64Array): number {
    const { components, waits } = this.breakdown(batch);
    let totalUs = 0;
    for (const { operator, us } of components) {
      componentsUs[this.#slotOf.get(operator.name)!]! += us;
      totalUs += us;
    }
    for (const { name, us } of waits) {
      componentsUs[this.#slotOf.get(name)!]! += us;
      totalUs += us;
    }
    return totalUs;
  }

  breakdown(batch: ScheduledBatch): StepBreakdown {
    const { numTokens } = batch;
    const [prefill, decode] = separatePhases(phaseRows(batch));
    const weight = prefillWeight(tokensOf(prefill), tokensOf(decode));
    return {
      numTokens,
      paddedTokens: numTokens,
      components: [...this.#phase(prefill, PREFILL, weight), ...this.#phase(decode, DECODE, 1 - weight)],
      waits: this.#waits,
    };
  }

  /** A phase's time, shared out over its operators by what each would ask of the binding side. */
  #phase(rows: PhaseRows, constants: PhaseConstants, weight: number): StepComponent[] {
    const numTokens = tokensOf(rows);
    if (numTokens === 0) return [];
    const { architecture, parallelism, dtypes, sampling } = this.#plan;
    const list = operators(architecture, parallelism, dtypes, sampling, {
      numTokens,
      numUnpaddedTokens: numTokens,
      numSampledTokens: 0,
      prefillChunks: rows.prefillChunks,
      decodeContextTokens: rows.decodeContextTokens,
    }).filter(isCounted);
    const sides = list.map((operator) => this.#sides(operator, constants));
    const computeUs = sides.reduce((sum, side) => sum + side.computeUs, 0);
    const memoryUs = sides.reduce((sum, side) => sum + side.memoryUs, 0);
    const boundBy = computeUs > memoryUs ? "compute" : "memory";
    return list.map((operator, i) => {
      const ownUs = weight * (boundBy === "compute" ? sides[i]!.computeUs : sides[i]!.memoryUs);
      const us = ownUs / operator.count;
      const roofUs = physicalFloor(operator, this.#roofs).us;
      const efficiency = us > 0 ? roofUs / us : 1;
      return { operator, us: ownUs, price: { us, launchUs: 0, boundBy, efficiency, source: "modelled" } };
    });
  }

  /** µs of all runs of an operator if compute alone, and if memory alone, bound the phase. */
  #sides(operator: Operator, constants: PhaseConstants): { computeUs: number; memoryUs: number } {
    const { mfu, bandwidthFraction, tpExponent } = constants;
    const { tensorParallelSize } = this.#plan.parallelism;
    const isAttention = operator.dims.category.startsWith("attention-");
    // The operator's FLOPs are one GPU's; sub-linear TP leaves more than 1 / TP of the whole to each.
    const tpLoss = tensorParallelSize ** (1 - tpExponent);
    const { computeUs, memoryUs } = physicalFloor(operator, this.#roofs);
    return {
      computeUs: (operator.count * computeUs * tpLoss) / (isAttention ? ATTENTION_FRACTION : mfu),
      memoryUs: (operator.count * memoryUs) / bandwidthFraction,
    };
  }
}

function isCounted({ name, dims: { category } }: Operator): boolean {
  const isProduct = category === "gemm" || category === "grouped-gemm";
  return category.startsWith("attention-") || (isProduct && name !== "lm_head");
}
