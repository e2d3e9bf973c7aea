import type { ScheduledBatch } from "../batch/scheduledBatch.js";
import type { GpuRoofs } from "../kernels/gpuRoofs.js";
import { FORMULA, type KernelLookup } from "../kernels/kernelLookup.js";
import { physicalFloor } from "../kernels/tables/physicalFloor.js";
import type { Operator } from "../model/operator.js";
import { operators } from "../model/operators.js";
import { baselineAllReduces, isAttention, isLayerProductOrAttention } from "./baselineOperators.js";
import { ComparedStepModel } from "./comparedStepModel.js";
import { prefillWeight } from "./mixedWeights.js";
import { possibleOperators } from "./operatorPrices.js";
import { type PhaseRows, phaseRows, separatePhases, tokensOf } from "./phaseRows.js";
import type { StepComponent } from "./stepModel.js";
import type { StepPlan } from "./stepPlan.js";
import { BASELINE_OVERHEAD_US } from "./stepSwitches.js";

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
 * and per step. It knows no shapes, so no table changes it. Norms, sampling and the LM head are not in it. FLOPs and bytes
 * are this project's own: the original counts softmax as FLOPs, and takes 80 to 92 % of KV and activation bytes.
 */
export class RooflineV1StepModel extends ComparedStepModel {
  readonly #plan: StepPlan;
  readonly #roofs: GpuRoofs;

  constructor(plan: StepPlan, roofs: GpuRoofs) {
    const possible = possibleOperators(plan);
    const overhead = { name: "fixed_overhead", us: BASELINE_OVERHEAD_US, count: 1 };
    super(possible.filter(isLayerProductOrAttention), [...baselineAllReduces(possible), overhead]);
    this.#plan = plan;
    this.#roofs = roofs;
  }

  protected override price(batch: ScheduledBatch): StepComponent[] {
    const [prefill, decode] = separatePhases(phaseRows(batch));
    const weight = prefillWeight(tokensOf(prefill), tokensOf(decode));
    return [...this.#phase(prefill, PREFILL, weight), ...this.#phase(decode, DECODE, 1 - weight)];
  }

  protected override lookup(): KernelLookup {
    return FORMULA;
  }

  protected override linearTokens(numTokens: number): number {
    return numTokens;
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
    }).filter(isLayerProductOrAttention);
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
    const runsAsAttention = isAttention(operator);
    // The operator's FLOPs are one GPU's; sub-linear TP leaves more than 1 / TP of the whole to each.
    const tpLoss = tensorParallelSize ** (1 - tpExponent);
    const { computeUs, memoryUs } = physicalFloor(operator, this.#roofs);
    return {
      computeUs: (operator.count * computeUs * tpLoss) / (runsAsAttention ? ATTENTION_FRACTION : mfu),
      memoryUs: (operator.count * memoryUs) / bandwidthFraction,
    };
  }
}
