import type { ScheduledBatch } from "../batch/scheduledBatch.js";
import { type AttentionLayer, attentionLayers, layerOperators } from "../model/attentionOperators.js";
import type { Operator, PrefillChunk } from "../model/operator.js";
import { linearOperators, operators, sampledOperators } from "../model/operators.js";
import { padToCaptureSize } from "./cudaGraph.js";
import type { ComponentCategory, ExplainedComponent, StepBreakdown, StepComponent, StepModel } from "./stepModel.js";
import type { StepPlan } from "./stepPlan.js";
import { type StepWait, stepWaits, WAIT_CATEGORY } from "./stepWaits.js";

/** Token counts whose explained layers are kept: whoever asks for every step meets the same few again and again. */
const MAX_EXPLAINED_COUNTS = 1024;

/**
 * The additive mixed-batch roofline: every linear layer once over all tokens of the step, plus prefill attention per
 * chunk, plus decode attention over the decode rows, plus collectives and small kernels.
 * Linear layers depend on token counts only and are priced once per count; attention is priced every step.
 */
export class AdditiveStepModel implements StepModel {
  readonly componentNames: readonly string[];
  readonly componentCategories: readonly ComponentCategory[];
  readonly #plan: StepPlan;
  readonly #slotOf: ReadonlyMap<string, number>;
  readonly #attentionLayers: readonly AttentionLayer[];
  /** What the GPU waits for in every step, whatever it computes; the last names of `componentNames`. */
  readonly #waits: readonly StepWait[];
  /** µs by component slot, by number of tokens and by number of sampled positions; filled when first needed. */
  readonly #linearUs: Float64Array[] = [];
  readonly #sampledUs: Float64Array[] = [];
  /** What `breakdown` says of them, by the same numbers. */
  readonly #explainedLinear = new Map<number, readonly ExplainedComponent[]>();
  readonly #explainedSampled = new Map<number, readonly ExplainedComponent[]>();

  constructor(plan: StepPlan) {
    this.#plan = plan;
    this.#attentionLayers = attentionLayers(plan.architecture, plan.parallelism, plan.dtypes.kvDtype);
    const possible = possibleOperators(plan);
    this.#waits = stepWaits(plan, possible);
    this.componentNames = [...possible, ...this.#waits].map(({ name }) => name);
    this.componentCategories = [...possible.map(({ dims }) => dims.category), ...this.#waits.map(() => WAIT_CATEGORY)];
    this.#slotOf = new Map(this.componentNames.map((name, slot) => [name, slot]));
  }

  gpuUs(batch: ScheduledBatch, componentsUs: Float64Array): number {
    const { numTokens, numSampled } = batch;
    this.#linearUs[numTokens] ??= this.#slots(this.#linear(numTokens));
    this.#sampledUs[numSampled] ??= this.#slots(this.#sampled(numSampled));
    const linearUs = this.#linearUs[numTokens];
    const sampledUs = this.#sampledUs[numSampled];
    let totalUs = 0;
    for (let slot = 0; slot < linearUs.length; slot++) {
      const us = linearUs[slot]! + sampledUs[slot]!;
      componentsUs[slot]! += us;
      totalUs += us;
    }
    for (const wait of this.#waits) {
      componentsUs[this.#slotOf.get(wait.name)!]! += wait.us;
      totalUs += wait.us;
    }
    for (const component of this.#attention(batch)) {
      componentsUs[this.#slotOf.get(component.operator.name)!]! += component.us;
      totalUs += component.us;
    }
    return totalUs;
  }

  breakdown(batch: ScheduledBatch): StepBreakdown {
    const { numTokens, numSampled } = batch;
    const linear = remembered(this.#explainedLinear, numTokens, () => this.#explained(this.#linear(numTokens)));
    const sampled = remembered(this.#explainedSampled, numSampled, () => this.#explained(this.#sampled(numSampled)));
    return {
      numTokens,
      paddedTokens: this.#padded(numTokens),
      components: [...linear, ...sampled, ...this.#explained(this.#attention(batch))],
      waits: this.#waits,
    };
  }

  #linear(numTokens: number): StepComponent[] {
    const { architecture, parallelism, dtypes, sampling } = this.#plan;
    const tokens = { numTokens: this.#padded(numTokens), numUnpaddedTokens: numTokens };
    return this.#components(linearOperators(architecture, parallelism, dtypes, sampling, tokens));
  }

  #sampled(numSampledTokens: number): StepComponent[] {
    const { architecture, parallelism, dtypes, sampling } = this.#plan;
    return this.#components(sampledOperators(architecture, parallelism, dtypes, sampling, numSampledTokens));
  }

  #explained(components: readonly StepComponent[]): ExplainedComponent[] {
    return components.map((component) => ({
      ...component,
      lookup: this.#plan.kernelModel.lookup(component.operator),
    }));
  }

  /** Components' µs, each at its place in `componentNames`. */
  #slots(components: readonly StepComponent[]): Float64Array {
    const us = new Float64Array(this.componentNames.length);
    for (const component of components) us[this.#slotOf.get(component.operator.name)!]! += component.us;
    return us;
  }

  #attention(batch: ScheduledBatch): StepComponent[] {
    const prefillChunks: PrefillChunk[] = [];
    const decodeContextTokens: number[] = [];
    for (let row = 0; row < batch.numRequests; row++) {
      const newTokens = batch.numNewTokens[row]!;
      const contextTokens = batch.numContextTokens[row]!;
      if (batch.isDecode[row] === 1 && newTokens === 1) decodeContextTokens.push(contextTokens + 1);
      else prefillChunks.push({ newTokens, contextTokens });
    }
    const components: StepComponent[] = [];
    for (const layer of this.#attentionLayers) {
      const [first, second] = this.#components(layerOperators(layer, { prefillChunks, decodeContextTokens }));
      if (first !== undefined) components.push(first);
      // Prefill and decode rows of a layer run in one launch: the second of the two does not pay it again.
      if (second !== undefined && first !== undefined) components.push(withSharedLaunch(second, first.price.launchUs));
    }
    return components;
  }

  /** Rows the linear layers run over: a CUDA graph's size, or the step's own where no graph is that large. */
  #padded(numTokens: number): number {
    return padToCaptureSize(this.#plan.captureSizes, numTokens) ?? numTokens;
  }

  #components(list: readonly Operator[]): StepComponent[] {
    return list.map((operator) => {
      const price = this.#plan.kernelModel.price(operator);
      return { operator, us: price.us * operator.count, price };
    });
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

/** The component without the part of its launch that another kernel of the layer has paid; never below its own roof. */
function withSharedLaunch(component: StepComponent, paidLaunchUs: number): StepComponent {
  const { operator, price } = component;
  const roofUs = price.us * price.efficiency;
  const sharedUs = Math.min(paidLaunchUs, price.launchUs);
  const us = Math.max(price.us - sharedUs, roofUs);
  const launchUs = price.launchUs - sharedUs;
  return { operator, us: us * operator.count, price: { ...price, us, launchUs, efficiency: roofUs / us } };
}

/** Operators that a step of the plan can have, each once. */
function possibleOperators(plan: StepPlan): Operator[] {
  const { architecture, parallelism, dtypes, sampling } = plan;
  return operators(architecture, parallelism, dtypes, sampling, {
    numTokens: 1,
    numUnpaddedTokens: 1,
    numSampledTokens: 1,
    prefillChunks: [{ newTokens: 1, contextTokens: 0 }],
    decodeContextTokens: [1],
  });
}
