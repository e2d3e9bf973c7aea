import type { ScheduledBatch } from "../batch/scheduledBatch.js";
import type { KernelLookup } from "../kernels/kernelLookup.js";
import type { Operator } from "../model/operator.js";
import { componentCategories } from "./operatorPrices.js";
import type { ComponentCategory, StepBreakdown, StepComponent, StepModel } from "./stepModel.js";
import type { StepWait } from "./stepWaits.js";

/** By so much a fraction may exceed 1 without meaning it. */
const ROUNDING = 1e-9;

/** A step model that is there to be compared with: it prices a step as a list of components, and adds them up. */
export abstract class ComparedStepModel implements StepModel {
  readonly pricesLockstep = false;
  readonly componentNames: readonly string[];
  readonly componentCategories: readonly ComponentCategory[];
  readonly #waits: readonly StepWait[];
  readonly #slotOf: ReadonlyMap<string, number>;

  /** @param possible operators that a step can have, each once */
  constructor(possible: readonly Operator[], waits: readonly StepWait[]) {
    this.#waits = waits;
    this.componentNames = [...possible, ...waits].map(({ name }) => name);
    this.componentCategories = componentCategories(possible, waits);
    this.#slotOf = new Map(this.componentNames.map((name, slot) => [name, slot]));
  }

  /** Prices a step; an operator may appear in several components. */
  protected abstract price(batch: ScheduledBatch): StepComponent[];
  protected abstract lookup(operator: Operator): KernelLookup;
  protected abstract linearTokens(numTokens: number): number;

  gpuUs(batch: ScheduledBatch, componentsUs: Float64Array): number {
    let totalUs = 0;
    for (const { operator, us } of this.price(batch)) {
      componentsUs[this.#slotOf.get(operator.name)!]! += us;
      totalUs += us;
    }
    for (const { name, us } of this.#waits) {
      componentsUs[this.#slotOf.get(name)!]! += us;
      totalUs += us;
    }
    return totalUs;
  }

  breakdown(batch: ScheduledBatch): StepBreakdown {
    const components = mergedByName(this.price(batch));
    return {
      numTokens: batch.numTokens,
      paddedTokens: this.linearTokens(batch.numTokens),
      components: components.map((component) => ({
        ...component,
        lookup: this.lookup(component.operator),
        efficiency: achievedFraction(component),
      })),
      waits: this.#waits,
    };
  }
}

/** Components of one name as one: two phases of a step may each have priced the operator. */
function mergedByName(components: readonly StepComponent[]): StepComponent[] {
  const merged = new Map<string, StepComponent>();
  for (const component of components) {
    const before = merged.get(component.operator.name);
    merged.set(component.operator.name, before === undefined ? component : merge(before, component));
  }
  return [...merged.values()];
}

/** Time, roofs, FLOPs and bytes added up; the rest is the longer one's. */
function merge(a: StepComponent, b: StepComponent): StepComponent {
  const longer = a.us >= b.us ? a : b;
  const us = a.us + b.us;
  const sum = (of: (operator: Operator) => number) => of(a.operator) + of(b.operator);
  const operator = {
    ...longer.operator,
    flops: sum(({ flops }) => flops),
    weightBytes: sum(({ weightBytes }) => weightBytes),
    activationBytes: sum(({ activationBytes }) => activationBytes),
    kvReadBytes: sum(({ kvReadBytes }) => kvReadBytes),
    kvWriteBytes: sum(({ kvWriteBytes }) => kvWriteBytes),
  };
  const price = { ...longer.price, us: us / operator.count, efficiency: us > 0 ? (roofUs(a) + roofUs(b)) / us : 1 };
  return { operator, us, price };
}

/** What the binding roof asks of all runs, µs. A price keeps it, whatever share of the price the component is given. */
function roofUs({ operator, price }: StepComponent): number {
  return price.us * price.efficiency * operator.count;
}

function achievedFraction(component: StepComponent): number | null {
  const fraction = component.us > 0 ? roofUs(component) / component.us : 1;
  return fraction <= 1 + ROUNDING ? Math.min(1, fraction) : null;
}
