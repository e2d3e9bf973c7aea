import type { ScheduledBatch } from "../../batch/scheduledBatch.js";
import type { StepModel } from "../../stepmodel/stepModel.js";
import { WAIT_CATEGORY } from "../../stepmodel/stepWaits.js";
import type { Bound } from "../stepLog.js";

/** A component's part of the GPU time of a run, and what bound it. */
export interface BoundTime {
  readonly name: string;
  readonly us: number;
  /** Of the GPU time of all steps. */
  readonly fraction: number;
  /** Parts of `us`. */
  readonly boundUs: Readonly<Partial<Record<Bound, number>>>;
}

/** Steps taken apart before every second, fourth, … one stands for its neighbours. */
const STEPS_PER_STRIDE = 2048;

/**
 * What binds the components of a run's steps. To take a step apart costs several times what it costs to simulate it, so of
 * a long run only some are: all of the first, then every second, fourth, … one, each for as many as it stands for. How
 * long each component took is not sampled: the run itself knows it.
 */
export class BoundTimes {
  readonly #stepModel: StepModel;
  readonly #sampledUs = new Map<string, Map<Bound, number>>();
  #stride = 1;
  #numSeen = 0;
  #numSampled = 0;

  constructor(stepModel: StepModel) {
    this.#stepModel = stepModel;
  }

  onStep(batch: ScheduledBatch): void {
    if (this.#numSeen++ % this.#stride !== 0) return;
    const { components, waits } = this.#stepModel.breakdown(batch);
    for (const { operator, us, price } of components) this.#add(operator.name, price.boundBy, us);
    for (const { name, us } of waits) this.#add(name, WAIT_CATEGORY, us);
    if (++this.#numSampled % STEPS_PER_STRIDE === 0) this.#stride *= 2;
  }

  /**
   * The components, the largest first.
   * @param shares of the GPU time by component, as the run has them
   * @param gpuUs of all steps
   */
  times(shares: Readonly<Record<string, number>>, gpuUs: number): BoundTime[] {
    const times = Object.entries(shares).map(([name, fraction]): BoundTime => {
      const us = fraction * gpuUs;
      const sampled = [...(this.#sampledUs.get(name) ?? [])];
      const sampledUs = sampled.reduce((sum, [, boundUs]) => sum + boundUs, 0);
      const parts = sampled.flatMap(([bound, boundUs]) => (boundUs > 0 ? [[bound, (us * boundUs) / sampledUs]] : []));
      return { name, us, fraction, boundUs: Object.fromEntries(parts) };
    });
    return times.sort((a, b) => b.us - a.us);
  }

  #add(name: string, bound: Bound, us: number): void {
    let byBound = this.#sampledUs.get(name);
    if (byBound === undefined) {
      byBound = new Map();
      this.#sampledUs.set(name, byBound);
    }
    byBound.set(bound, (byBound.get(bound) ?? 0) + us * this.#stride);
  }
}

/** A bound and its fraction of the GPU time. */
export interface BoundShare {
  readonly bound: Bound;
  readonly fraction: number;
}

/** The time of all components by what bound it, the largest first. */
export function boundShares(times: readonly BoundTime[]): BoundShare[] {
  const byBound = new Map<Bound, number>();
  for (const { us, fraction, boundUs } of times) {
    for (const [bound, part] of Object.entries(boundUs) as [Bound, number][]) {
      byBound.set(bound, (byBound.get(bound) ?? 0) + (fraction * part) / us);
    }
  }
  return [...byBound].map(([bound, fraction]) => ({ bound, fraction })).sort((a, b) => b.fraction - a.fraction);
}
