import type { ScheduledBatch } from "../batch/scheduledBatch.js";
import { attentionKinds } from "../model/layerKinds.js";
import { type AttentionPrices, attentionPrices } from "./attentionPrices.js";
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
  /** µs of its linear layers by number of tokens, of its sampling by sampled positions; filled when first needed. */
  readonly #linearUs: Float64Array[] = [];
  readonly #sampledUs: Float64Array[] = [];
  readonly #waitsUs: Float64Array;
  /** Where each of these stands in `componentNames`. */
  readonly #linearSlots: Int32Array;
  readonly #sampledSlots: Int32Array;
  readonly #waitSlots: Int32Array;
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
    this.#attentionPrices = attentionPrices(plan, this.#slotOf);
    const slots = (names: readonly { readonly name: string }[]) =>
      Int32Array.from(names, ({ name }) => this.#slotOf.get(name)!);
    this.#linearSlots = slots(this.#linear(1).map(({ operator }) => operator));
    this.#sampledSlots = slots(this.#prices.sampled(1).map(({ operator }) => operator));
    this.#waitSlots = slots(this.#waits);
    this.#waitsUs = Float64Array.from(this.#waits, ({ us }) => us);
  }

  gpuUs(batch: ScheduledBatch, componentsUs: Float64Array): number {
    const { numTokens, numSampled } = batch;
    const linearUs = this.#linearUs[numTokens] ?? keptUs(this.#linearUs, numTokens, this.#linear(numTokens));
    const sampledUs =
      this.#sampledUs[numSampled] ?? keptUs(this.#sampledUs, numSampled, this.#prices.sampled(numSampled));
    let totalUs = addUs(linearUs, this.#linearSlots, componentsUs, 0);
    totalUs = addUs(sampledUs, this.#sampledSlots, componentsUs, totalUs);
    totalUs = addUs(this.#waitsUs, this.#waitSlots, componentsUs, totalUs);
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

  #linear(numTokens: number): StepComponent[] {
    return this.#prices.linear(numTokens, this.#padded(numTokens));
  }

  /** Rows the linear layers run over: a CUDA graph's size, or the step's own where no graph is that large. */
  #padded(numTokens: number): number {
    return padToCaptureSize(this.#captureSizes, numTokens) ?? numTokens;
  }
}

/** Keeps the µs of components under a number. */
function keptUs(kept: Float64Array[], count: number, components: readonly StepComponent[]): Float64Array {
  const us = new Float64Array(components.length);
  for (let i = 0; i < us.length; i++) us[i] = components[i]!.us;
  kept[count] = us;
  return us;
}

/** Adds each to the component at its slot. @returns `beforeUs` and all of them, added one by one */
function addUs(us: Float64Array, slots: Int32Array, componentsUs: Float64Array, beforeUs: number): number {
  let totalUs = beforeUs;
  for (let i = 0; i < us.length; i++) {
    componentsUs[slots[i]!]! += us[i]!;
    totalUs += us[i]!;
  }
  return totalUs;
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
