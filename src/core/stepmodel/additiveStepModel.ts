import type { ScheduledBatch } from "../batch/scheduledBatch.js";
import { attentionKinds } from "../model/layerKinds.js";
import { AttentionPrices } from "./attentionPrices.js";
import { padToCaptureSize } from "./cudaGraph.js";
import { componentCategories, OperatorPrices, possibleOperators } from "./operatorPrices.js";
import { phaseRows } from "./phaseRows.js";
import type { ComponentCategory, ExplainedComponent, StepBreakdown, StepComponent, StepModel } from "./stepModel.js";
import type { StepPlan } from "./stepPlan.js";
import { type StepWait, stepWaits } from "./stepWaits.js";

/** Token counts whose explained layers are kept: whoever asks for every step meets the same few again and again. */
const MAX_EXPLAINED_COUNTS = 1024;

/**
 * The additive mixed-batch roofline: every linear layer once over all tokens of the step, plus prefill attention per
 * chunk, plus decode attention over the decode rows, plus collectives and small kernels.
 * Linear layers depend on token counts only and are priced once per count; attention is priced every step.
 */
export class AdditiveStepModel implements StepModel {
  readonly pricesLockstep: boolean;
  readonly componentNames: readonly string[];
  readonly componentCategories: readonly ComponentCategory[];
  readonly #captureSizes: readonly number[];
  readonly #prices: OperatorPrices;
  readonly #attentionPrices: AttentionPrices;
  readonly #slotOf: ReadonlyMap<string, number>;
  /** What the GPU waits for in every step, whatever it computes; the last names of `componentNames`. */
  readonly #waits: readonly StepWait[];
  /** µs by component slot, by number of tokens and by number of sampled positions; filled when first needed. */
  readonly #linearUs: Float64Array[] = [];
  readonly #sampledUs: Float64Array[] = [];
  /** What `breakdown` says of them, by the same numbers. */
  readonly #explainedLinear = new Map<number, readonly ExplainedComponent[]>();
  readonly #explainedSampled = new Map<number, readonly ExplainedComponent[]>();

  constructor(plan: StepPlan) {
    this.#captureSizes = plan.captureSizes;
    this.#prices = new OperatorPrices(plan);
    // A window cuts each row's context off for itself: a sum over rows does not tell by how much.
    this.pricesLockstep = attentionKinds(plan.architecture).every(({ attention }) => attention.slidingWindow === 0);
    const possible = possibleOperators(plan);
    this.#waits = stepWaits(plan, possible);
    this.componentNames = [...possible, ...this.#waits].map(({ name }) => name);
    this.componentCategories = componentCategories(possible, this.#waits);
    this.#slotOf = new Map(this.componentNames.map((name, slot) => [name, slot]));
    this.#attentionPrices = new AttentionPrices(plan, this.#slotOf);
  }

  gpuUs(batch: ScheduledBatch, componentsUs: Float64Array): number {
    const linearUs = this.#linearUs[batch.numTokens] ?? this.#addLinear(batch.numTokens);
    const sampledUs = this.#sampledUs[batch.numSampled] ?? this.#addSampled(batch.numSampled);
    let totalUs = 0;
    for (let slot = 0; slot < linearUs.length; slot++) {
      const us = linearUs[slot]! + sampledUs[slot]!;
      componentsUs[slot]! += us;
      totalUs += us;
    }
    return this.#attentionPrices.addUs(batch, componentsUs, totalUs);
  }

  breakdown(batch: ScheduledBatch): StepBreakdown {
    const { numTokens, numSampled } = batch;
    const prices = this.#prices;
    const linear = remembered(this.#explainedLinear, numTokens, () => prices.explain(this.#linear(numTokens)));
    const sampled = remembered(this.#explainedSampled, numSampled, () => prices.explain(prices.sampled(numSampled)));
    return {
      numTokens,
      paddedTokens: this.#padded(numTokens),
      components: [...linear, ...sampled, ...prices.explain(this.#attention(batch))],
      waits: this.#waits,
    };
  }

  #attention(batch: ScheduledBatch): StepComponent[] {
    const { numLockstep, sumLockstepContextTokens, maxLockstepContextTokens } = batch;
    return this.#prices.attention(phaseRows(batch), {
      numRequests: numLockstep,
      sumContextTokens: sumLockstepContextTokens,
      maxContextTokens: maxLockstepContextTokens,
    });
  }

  /** Components and waits, each at its place: what every step of so many tokens has. */
  #addLinear(numTokens: number): Float64Array {
    const us = this.#slots(this.#linear(numTokens));
    for (const wait of this.#waits) us[this.#slotOf.get(wait.name)!]! += wait.us;
    this.#linearUs[numTokens] = us;
    return us;
  }

  #addSampled(numSampled: number): Float64Array {
    const us = this.#slots(this.#prices.sampled(numSampled));
    this.#sampledUs[numSampled] = us;
    return us;
  }

  #linear(numTokens: number): StepComponent[] {
    return this.#prices.linear(numTokens, this.#padded(numTokens));
  }

  /** Components' µs, each at its place in `componentNames`. */
  #slots(components: readonly StepComponent[]): Float64Array {
    const us = new Float64Array(this.componentNames.length);
    for (const component of components) us[this.#slotOf.get(component.operator.name)!]! += component.us;
    return us;
  }

  /** Rows the linear layers run over: a CUDA graph's size, or the step's own where no graph is that large. */
  #padded(numTokens: number): number {
    return padToCaptureSize(this.#captureSizes, numTokens) ?? numTokens;
  }
}

/** The value kept for a count, made when first asked for. Starts afresh when full: memory stays bounded. */
function remembered<T>(kept: Map<number, T>, count: number, make: () => T): T {
  const known = kept.get(count);
  if (known !== undefined) return known;
  if (kept.size >= MAX_EXPLAINED_COUNTS) kept.clear();
  const made = make();
  kept.set(count, made);
  return made;
}
