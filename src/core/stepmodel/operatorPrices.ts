import type { KernelPrice } from "../kernels/kernelModel.js";
import { type AttentionLayer, attentionLayers, layerOperators } from "../model/attentionOperators.js";
import type { DecodeTotals } from "../model/attentionRows.js";
import type { Operator } from "../model/operator.js";
import { linearOperators, operators, sampledOperators } from "../model/operators.js";
import type { PhaseRows } from "./phaseRows.js";
import type { ComponentCategory, ExplainedComponent, StepComponent } from "./stepModel.js";
import type { StepPlan } from "./stepPlan.js";
import { type StepWait, WAIT_CATEGORY } from "./stepWaits.js";

/** Prices the operators of a plan's steps, in the three parts that depend on different things. Keeps nothing. */
export class OperatorPrices {
  readonly #plan: StepPlan;
  readonly #attentionLayers: readonly AttentionLayer[];

  constructor(plan: StepPlan) {
    this.#plan = plan;
    this.#attentionLayers = attentionLayers(plan.architecture, plan.parallelism, plan.dtypes);
  }

  /** What depends on the number of tokens only. @param paddedTokens rows of the linear layers, ≥ `numTokens` */
  linear(numTokens: number, paddedTokens: number): StepComponent[] {
    const { architecture, parallelism, dtypes, sampling } = this.#plan;
    const tokens = { numTokens: paddedTokens, numUnpaddedTokens: numTokens };
    return this.price(linearOperators(architecture, parallelism, dtypes, sampling, tokens));
  }

  /** LM head and sampling. */
  sampled(numSampledTokens: number): StepComponent[] {
    const { architecture, parallelism, dtypes, sampling } = this.#plan;
    return this.price(sampledOperators(architecture, parallelism, dtypes, sampling, numSampledTokens));
  }

  /** @param others decode rows that are not among `rows` */
  attention(rows: Pick<PhaseRows, "prefillChunks" | "decodeContextTokens">, others?: DecodeTotals): StepComponent[] {
    const components: StepComponent[] = [];
    for (const layer of this.#attentionLayers) {
      if (layer.kind === "mla") {
        components.push(...this.price(layerOperators(layer, rows, others)));
        continue;
      }
      const [first, second] = this.price(layerOperators(layer, rows, others));
      if (first !== undefined) components.push(first);
      // Prefill and decode rows of a layer run in one launch: the second of the two does not pay it again.
      if (second !== undefined && first !== undefined) components.push(withSharedLaunch(second, first.price.launchUs));
    }
    return components;
  }

  /** The components with how their prices were found; for people, not for the hot path. */
  explain(components: readonly StepComponent[]): ExplainedComponent[] {
    const { kernelModel } = this.#plan;
    return components.map((component) => ({
      ...component,
      lookup: kernelModel.lookup(component.operator),
      efficiency: component.price.efficiency,
    }));
  }

  price(list: readonly Operator[]): StepComponent[] {
    return list.map((operator) => {
      const price = this.#plan.kernelModel.price(operator);
      return { operator, us: price.us * operator.count, price };
    });
  }
}

/** The component without the part of its launch that another kernel of the layer has paid. */
function withSharedLaunch(component: StepComponent, paidLaunchUs: number): StepComponent {
  const { operator, price } = component;
  const us = usAfterLaunch(price, paidLaunchUs);
  const launchUs = price.launchUs - Math.min(paidLaunchUs, price.launchUs);
  return { operator, us: us * operator.count, price: { ...price, us, launchUs, efficiency: roofUs(price) / us } };
}

/** µs of a kernel that shares the launch another has paid; never below its own roof. */
export function usAfterLaunch(price: KernelPrice, paidLaunchUs: number): number {
  return Math.max(price.us - Math.min(paidLaunchUs, price.launchUs), roofUs(price));
}

function roofUs({ us, efficiency }: KernelPrice): number {
  return us * efficiency;
}

/** Operators that a step of the plan can have, each once. */
export function possibleOperators(plan: StepPlan): Operator[] {
  const { architecture, parallelism, dtypes, sampling } = plan;
  return operators(architecture, parallelism, dtypes, sampling, {
    numTokens: 1,
    numUnpaddedTokens: 1,
    numSampledTokens: 1,
    prefillChunks: [{ newTokens: 1, contextTokens: 1 }],
    decodeContextTokens: [1],
  });
}

/** Categories of a step's possible parts, in the order of their names: operators first, then waits. */
export function componentCategories(
  operators: readonly Operator[],
  waits: readonly StepWait[],
): readonly ComponentCategory[] {
  return [...operators.map(({ dims }) => dims.category), ...waits.map(() => WAIT_CATEGORY)];
}
