import type { ScheduledBatch } from "../batch/scheduledBatch.js";
import type { Hypothesis } from "../config/pricingConfig.js";
import type { GpuRoofs } from "../kernels/gpuRoofs.js";
import type { KernelLookup } from "../kernels/kernelLookup.js";
import { physicalFloor } from "../kernels/tables/physicalFloor.js";
import type { Operator } from "../model/operator.js";
import { splitProjections } from "../model/splitProjections.js";
import { baselineAllReduces, isLayerProductOrAttention, isMfuPriced } from "./baselineOperators.js";
import { ComparedStepModel } from "./comparedStepModel.js";
import { padToCaptureSize } from "./cudaGraph.js";
import { prefillWeight } from "./mixedWeights.js";
import { OperatorPrices, possibleOperators } from "./operatorPrices.js";
import { type PhaseRows, phaseRows, separatePhases, tokensOf } from "./phaseRows.js";
import type { StepComponent } from "./stepModel.js";
import type { StepPlan } from "./stepPlan.js";
import type { StepSwitches } from "./stepSwitches.js";
import { stepWaits } from "./stepWaits.js";

/** Sequences of prefills are rounded up to powers of two from here on, where real shapes are not priced. */
const SMALLEST_BUCKET_TOKENS = 512;

/** What a switched model needs besides the plan; `plan.kernelModel` must be the one its H1 and H6 ask for. */
export interface SwitchedModelOptions {
  readonly switches: StepSwitches;
  readonly roofs: GpuRoofs;
  /** Fraction of datasheet bandwidth that the memory side of an MFU-priced kernel reaches, (0, 1]. */
  readonly bandwidthFraction: number;
}

/**
 * Every model between roofline-v2 and the additive one: any of the six corrections switched on or off. With all of
 * them it gives the additive model's prices; it is slower, and exists for ablation. Without H4 or H5 a step can be faster
 * than its kernels one after the other could be: that is what these two correct.
 *
 * Shapes are one GPU's own, where roofline-v2 divides those of one GPU by the parallel size; all prefill tokens of a step
 * run in one product, where it prices a product per bucket of sequence lengths.
 *
 * H1 and H6 live in the kernel model (bandwidth; interpolation), H2 in the plan's waits; here are H3 (fused products),
 * H4 (a roof per kernel) and H5 (the additive mix), and the two switches that belong to no hypothesis.
 */
export class SwitchedStepModel extends ComparedStepModel {
  readonly #plan: StepPlan;
  readonly #options: SwitchedModelOptions;
  readonly #prices: OperatorPrices;
  /** By number of tokens and by number of sampled positions; filled when first needed. */
  readonly #linearOf: StepComponent[][] = [];
  readonly #sampledOf: StepComponent[][] = [];

  constructor(plan: StepPlan, options: SwitchedModelOptions) {
    const possible = possibleOperators(plan);
    const { switches } = options;
    super(knownOperators(possible, plan, switches), [
      ...stepWaits(plan, possible),
      ...(switches.pricesAllOperators ? [] : baselineAllReduces(possible)),
    ]);
    this.#plan = plan;
    this.#options = options;
    this.#prices = new OperatorPrices(plan);
  }

  protected override price(batch: ScheduledBatch): StepComponent[] {
    const rows = phaseRows(batch);
    if (this.#has("H5")) return this.#phase(rows);
    return weightedPhases(rows).flatMap((part) =>
      this.#phase(part.rows).map((component) => ({ ...component, us: component.us * part.weight })),
    );
  }

  protected override lookup(operator: Operator): KernelLookup {
    return this.#plan.kernelModel.lookup(operator);
  }

  /** Rows of the linear layers. */
  protected override linearTokens(numTokens: number): number {
    if (!this.#options.switches.pricesRealShapes) return numTokens;
    return padToCaptureSize(this.#plan.captureSizes, numTokens) ?? numTokens;
  }

  #has(hypothesis: Hypothesis): boolean {
    return this.#options.switches.hypotheses.has(hypothesis);
  }

  /** Prices rows that run together. */
  #phase(rows: PhaseRows): StepComponent[] {
    const numTokens = tokensOf(rows);
    if (numTokens === 0) return [];
    const attention = this.#prices.attention(this.#options.switches.pricesRealShapes ? rows : bucketed(rows));
    const components = [...this.#linear(numTokens), ...this.#sampled(rows.numSampled), ...attention];
    return this.#has("H4") ? this.#boundEach(components) : this.#boundTogether(components);
  }

  #linear(numTokens: number): StepComponent[] {
    this.#linearOf[numTokens] ??= this.#known(this.#prices.linear(numTokens, this.linearTokens(numTokens)));
    return this.#linearOf[numTokens];
  }

  #sampled(numSampled: number): StepComponent[] {
    this.#sampledOf[numSampled] ??= this.#known(this.#prices.sampled(numSampled));
    return this.#sampledOf[numSampled];
  }

  /** The components this model knows of, fused or taken apart. */
  #known(components: readonly StepComponent[]): StepComponent[] {
    const known = knownOperators(
      components.map(({ operator }) => operator),
      this.#plan,
      this.#options.switches,
    );
    return this.#prices.price(known);
  }

  /** Each kernel takes the longer of its two sides. */
  #boundEach(components: readonly StepComponent[]): StepComponent[] {
    return components.map((component) => {
      const { launchUs, computeUs, memoryUs } = this.#sides(component);
      return { ...component, us: Math.max(component.us, launchUs + computeUs, launchUs + memoryUs) };
    });
  }

  /** All kernels together take the longer of the two sums; each is shown its share. */
  #boundTogether(components: readonly StepComponent[]): StepComponent[] {
    let launchUs = 0;
    let computeUs = 0;
    let memoryUs = 0;
    let separateUs = 0;
    for (const component of components) {
      const sides = this.#sides(component);
      launchUs += sides.launchUs;
      computeUs += sides.computeUs;
      memoryUs += sides.memoryUs;
      separateUs += component.us;
    }
    if (separateUs === 0) return [...components];
    const share = (launchUs + Math.max(computeUs, memoryUs)) / separateUs;
    return components.map((component) => ({ ...component, us: component.us * share }));
  }

  /**
   * What a component asks of the two roofs, µs over all its runs. An interpolated price achieves on both roofs what it
   * achieves on the one that binds it; an MFU (without H6) is all compute, with the bytes beside it at the bandwidth that
   * H1 grants.
   */
  #sides({ operator, price, us }: StepComponent): { launchUs: number; computeUs: number; memoryUs: number } {
    const { roofs, bandwidthFraction } = this.#options;
    const floor = physicalFloor(operator, roofs);
    const { computeUs, memoryUs } = floor;
    if (isMfuPriced(operator) && !this.#has("H6")) {
      return { launchUs: 0, computeUs: us, memoryUs: (memoryUs * operator.count) / bandwidthFraction };
    }
    const launchUs = Math.min(us, price.launchUs * operator.count);
    if (floor.us === 0 || floor.boundBy === "network") return { launchUs: us, computeUs: 0, memoryUs: 0 };
    const workUs = us - launchUs;
    return { launchUs, computeUs: (workUs * computeUs) / floor.us, memoryUs: (workUs * memoryUs) / floor.us };
  }
}

/** The operators a model with these switches knows of, fused or taken apart. */
function knownOperators(
  list: readonly Operator[],
  { architecture, parallelism }: StepPlan,
  { hypotheses, pricesAllOperators }: StepSwitches,
): readonly Operator[] {
  const known = pricesAllOperators ? list : list.filter(isLayerProductOrAttention);
  return hypotheses.has("H3") ? known : splitProjections(known, architecture, parallelism);
}

function weightedPhases(rows: PhaseRows): { readonly rows: PhaseRows; readonly weight: number }[] {
  const [prefill, decode] = separatePhases(rows);
  const weight = prefillWeight(tokensOf(prefill), tokensOf(decode));
  return [
    { rows: prefill, weight },
    { rows: decode, weight: 1 - weight },
  ];
}

/** Decodes all as long as the longest; the sequence of each chunk rounded up to a power of two. */
function bucketed({ prefillChunks, decodeContextTokens }: PhaseRows): Omit<PhaseRows, "numSampled"> {
  const longest = decodeContextTokens.reduce((max, context) => Math.max(max, context), 0);
  return {
    prefillChunks: prefillChunks.map(({ newTokens, contextTokens }) => ({
      newTokens,
      contextTokens: bucketTokens(newTokens + contextTokens) - newTokens,
    })),
    decodeContextTokens: decodeContextTokens.map(() => longest),
  };
}

function bucketTokens(sequenceTokens: number): number {
  return Math.max(SMALLEST_BUCKET_TOKENS, 2 ** Math.ceil(Math.log2(sequenceTokens)));
}
