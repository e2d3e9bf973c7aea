import type { ScheduledBatch } from "../batch/scheduledBatch.js";
import type { KernelPrice } from "../kernels/kernelModel.js";
import { attentionOperators } from "../model/attentionOperators.js";
import type { Operator, PrefillChunk } from "../model/operator.js";
import { linearOperators, operators } from "../model/operators.js";
import { padToCaptureSize } from "./cudaGraph.js";
import type { StepModel } from "./stepModel.js";
import type { StepPlan } from "./stepPlan.js";
import { type StepWait, stepWaits } from "./stepWaits.js";

/** One priced operator of a step, over all the layers it runs in. */
export interface StepComponent {
  readonly operator: Operator;
  /** µs of all `operator.count` runs. */
  readonly us: number;
  readonly price: KernelPrice;
}

/** A step taken apart; the components and the waits add up to the step. */
export interface StepBreakdown {
  readonly numTokens: number;
  readonly paddedTokens: number;
  readonly components: readonly StepComponent[];
  readonly waits: readonly StepWait[];
}

/** Prices of everything but attention for one (tokens, sampled) pair, per component. */
interface LinearPrices {
  readonly totalUs: number;
  readonly components: readonly StepComponent[];
  /** Parallel to `components`: where each one's µs belong in `componentNames`. */
  readonly slots: readonly number[];
}

/**
 * The additive mixed-batch roofline: every linear layer once over all tokens of the step, plus prefill attention per
 * chunk, plus decode attention over the decode rows, plus collectives and small kernels.
 * Linear layers depend on token counts only and are priced once per count; attention is priced every step.
 */
export class AdditiveStepModel implements StepModel {
  readonly componentNames: readonly string[];
  readonly #plan: StepPlan;
  readonly #slotOf: ReadonlyMap<string, number>;
  /** What the GPU waits for in every step, whatever it computes; the last names of `componentNames`. */
  readonly #waits: readonly StepWait[];
  readonly #linear = new Map<number, LinearPrices>();

  constructor(plan: StepPlan) {
    this.#plan = plan;
    const possible = possibleOperators(plan);
    this.#waits = stepWaits(plan, possible);
    this.componentNames = [...possible, ...this.#waits].map(({ name }) => name);
    this.#slotOf = new Map(this.componentNames.map((name, slot) => [name, slot]));
  }

  gpuUs(batch: ScheduledBatch, componentsUs: Float64Array): number {
    const linear = this.#linearPrices(batch.numTokens, batch.numSampled);
    const { components, slots } = linear;
    for (let i = 0; i < components.length; i++) componentsUs[slots[i]!]! += components[i]!.us;
    let totalUs = linear.totalUs;
    for (const wait of this.#waits) {
      totalUs += wait.us;
      componentsUs[this.#slotOf.get(wait.name)!]! += wait.us;
    }
    for (const component of this.#attention(batch)) {
      totalUs += component.us;
      componentsUs[this.#slotOf.get(component.operator.name)!]! += component.us;
    }
    return totalUs;
  }

  /** The same prices as `gpuUs`, kept apart for people to question. */
  breakdown(batch: ScheduledBatch): StepBreakdown {
    return {
      numTokens: batch.numTokens,
      paddedTokens: this.#padded(batch.numTokens),
      components: [...this.#linearPrices(batch.numTokens, batch.numSampled).components, ...this.#attention(batch)],
      waits: this.#waits,
    };
  }

  #linearPrices(numTokens: number, numSampledTokens: number): LinearPrices {
    // Both counts are below 2^26 (budget and rows are bounded), so the pair fits a safe integer.
    const key = numTokens * 2 ** 26 + numSampledTokens;
    const known = this.#linear.get(key);
    if (known !== undefined) return known;
    const { architecture, parallelism, dtypes, sampling } = this.#plan;
    const components = linearOperators(architecture, parallelism, dtypes, sampling, {
      numTokens: this.#padded(numTokens),
      numUnpaddedTokens: numTokens,
      numSampledTokens,
    }).map((operator) => this.#component(operator));
    const prices = {
      totalUs: components.reduce((sum, component) => sum + component.us, 0),
      components,
      slots: components.map((component) => this.#slotOf.get(component.operator.name) as number),
    };
    this.#linear.set(key, prices);
    return prices;
  }

  /** Prefill and decode rows of a layer run in one launch: the second of the two does not pay it again. */
  #attention(batch: ScheduledBatch): StepComponent[] {
    const { architecture, parallelism, dtypes } = this.#plan;
    const prefillChunks: PrefillChunk[] = [];
    const decodeContextTokens: number[] = [];
    for (let row = 0; row < batch.numRequests; row++) {
      const newTokens = batch.numNewTokens[row]!;
      const contextTokens = batch.numContextTokens[row]!;
      if (batch.isDecode[row] === 1 && newTokens === 1) decodeContextTokens.push(contextTokens + 1);
      else prefillChunks.push({ newTokens, contextTokens });
    }
    const components = attentionOperators(architecture, parallelism, dtypes.kvDtype, {
      prefillChunks,
      decodeContextTokens,
    }).map((operator) => this.#component(operator));
    if (prefillChunks.length === 0 || decodeContextTokens.length === 0) return components;
    return components.map((component, i) => {
      const pair = components[i - 1];
      const isSecond = i % 2 === 1 && pair !== undefined;
      return isSecond ? withSharedLaunch(component, pair.price.launchUs) : component;
    });
  }

  /** Rows the linear layers run over: a CUDA graph's size, or the step's own where no graph is that large. */
  #padded(numTokens: number): number {
    return padToCaptureSize(this.#plan.captureSizes, numTokens) ?? numTokens;
  }

  #component(operator: Operator): StepComponent {
    const price = this.#plan.kernelModel.price(operator);
    return { operator, us: price.us * operator.count, price };
  }
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
