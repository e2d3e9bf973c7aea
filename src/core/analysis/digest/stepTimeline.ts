import type { ScheduledStep } from "../../scheduler/scheduledStep.js";
import type { Scheduler } from "../../scheduler/scheduler.js";
import { JoiningBins } from "../joiningBins.js";

/** What steps did in one bin of time; a step counts in each bin it covers, in proportion. */
export interface StepSums {
  /** Steps, a part of one counting as that part. */
  readonly steps: number;
  readonly prefillTokens: number;
  readonly decodeTokens: number;
  /** Fraction of KV blocks in use, × the GPU time it was so, µs. */
  readonly kvFractionUs: number;
  readonly preemptions: number;
}

/** Short enough that a run of a few steps has a shape. */
const FIRST_WIDTH_US = 20_000;

/** The engine's steps over simulated time in at most `maxBins` equal bins. */
export class StepTimeline {
  readonly #bins: JoiningBins<StepSums>;

  /** @param maxBins even, ≥ 2 */
  constructor(maxBins = 240) {
    this.#bins = new JoiningBins({ maxBins, firstWidthUs: FIRST_WIDTH_US, join: joined });
  }

  onStep({ batch, numPreempted }: ScheduledStep, startUs: number, endUs: number, scheduler: Scheduler): void {
    let decodeTokens = batch.numLockstep;
    for (let row = 0; row < batch.numRows; row++)
      if (batch.isDecode[row] === 1) decodeTokens += batch.numNewTokens[row]!;
    const whole = {
      steps: 1,
      prefillTokens: batch.numTokens - decodeTokens,
      decodeTokens,
      kvFractionUs: scheduler.kvUsageFraction * (endUs - startUs),
      preemptions: numPreempted,
    };
    this.#bins.reach(endUs);
    const { widthUs } = this.#bins;
    for (let fromUs = startUs; fromUs < endUs; ) {
      const toUs = Math.min(endUs, (Math.floor(fromUs / widthUs) + 1) * widthUs);
      this.#bins.add(fromUs, scaled(whole, (toUs - fromUs) / (endUs - startUs)));
      fromUs = toUs;
    }
  }

  /** The bins from time 0 to `endUs` at least, and their width. */
  until(endUs: number): { readonly widthUs: number; readonly bins: readonly StepSums[] } {
    this.#bins.reach(endUs);
    const { widthUs } = this.#bins;
    const bins = this.#bins.bins();
    const numBins = Math.max(bins.length, Math.ceil(endUs / widthUs));
    return { widthUs, bins: Array.from({ length: numBins }, (_, i) => bins[i] ?? NOTHING) };
  }
}

const NOTHING: StepSums = { steps: 0, prefillTokens: 0, decodeTokens: 0, kvFractionUs: 0, preemptions: 0 };

function joined(a: StepSums, b: StepSums): StepSums {
  return {
    steps: a.steps + b.steps,
    prefillTokens: a.prefillTokens + b.prefillTokens,
    decodeTokens: a.decodeTokens + b.decodeTokens,
    kvFractionUs: a.kvFractionUs + b.kvFractionUs,
    preemptions: a.preemptions + b.preemptions,
  };
}

function scaled(sums: StepSums, fraction: number): StepSums {
  if (fraction === 1) return sums;
  return {
    steps: sums.steps * fraction,
    prefillTokens: sums.prefillTokens * fraction,
    decodeTokens: sums.decodeTokens * fraction,
    kvFractionUs: sums.kvFractionUs * fraction,
    preemptions: sums.preemptions * fraction,
  };
}
