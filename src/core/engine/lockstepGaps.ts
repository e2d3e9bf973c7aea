import type { BinnedCounts } from "../metrics/binnedCounts.js";
import type { ScheduledStep } from "../scheduler/scheduledStep.js";

/**
 * Counts the gaps between tokens of requests in lockstep without walking them. Each had a token in the step before, as a
 * member or in the row with which it joined, and they keep their order: so the gap is the time between the two steps'
 * first tokens, and differs only where other tokens were sent before a request's own in one step and not in the other.
 * O(rows + requests that end in the step).
 */
export class LockstepGaps {
  readonly #gapsUs: BinnedCounts;
  readonly #usPerToken: number;
  /** When streaming of the last step's tokens began. */
  #fromUs = 0;
  /**
   * Tokens of the last step whose requests are in lockstep no more: how many that still are stood before each,
   * ascending; `[#numGone]` in use.
   */
  readonly #gone: number[] = [];
  #numGone = 0;

  constructor(gapsUs: BinnedCounts, usPerToken: number) {
    this.#gapsUs = gapsUs;
    this.#usPerToken = usPerToken;
  }

  /** @param step just updated @param fromUs when streaming of its tokens begins */
  onStep(step: ScheduledStep, fromUs: number): void {
    const gapUs = fromUs - this.#fromUs;
    this.#fromUs = fromUs;
    if (this.#numGone === 0 && step.numRows === 0) this.#gapsUs.add(gapUs, step.numLockstep);
    else this.#count(step, gapUs);
    this.#numGone = 0;
    if (step.numRows > 0 || step.numFinishing > 0) this.#noteGone(step);
  }

  /** Goes from one place to the next at which the number of other tokens before a request's own changes. */
  #count(step: ScheduledStep, gapUs: number): void {
    const { numLockstep, numRows, numLockstepBefore, numTokensOut } = step;
    let numCounted = 0;
    let numMore = 0;
    let gone = 0;
    let row = 0;
    while (numCounted < numLockstep) {
      while (row < numRows && numTokensOut[row] === 0) row++;
      const nextGone = gone < this.#numGone ? this.#gone[gone]! : numLockstep;
      const nextRow = row < numRows ? numLockstepBefore[row]! : numLockstep;
      const next = Math.min(nextGone, nextRow, numLockstep);
      if (next > numCounted) this.#gapsUs.add(gapUs + numMore * this.#usPerToken, next - numCounted);
      numCounted = next;
      if (nextGone === next) {
        gone++;
        numMore--;
      } else {
        row++;
        numMore++;
      }
    }
  }

  #noteGone(step: ScheduledStep): void {
    const { finishingIndex, numFinishing } = step;
    let numEnded = 0;
    let numJoined = 0;
    for (let row = 0; row < step.numRows; row++) {
      if (step.numTokensOut[row] === 0) continue;
      const numBefore = step.numLockstepBefore[row]!;
      for (; numEnded < numFinishing && finishingIndex[numEnded]! < numBefore; numEnded++) {
        this.#gone[this.#numGone++] = finishingIndex[numEnded]! - numEnded + numJoined;
      }
      if (step.requests[row]!.firstTick >= 0) numJoined++;
      else this.#gone[this.#numGone++] = numBefore - numEnded + numJoined;
    }
    for (; numEnded < numFinishing; numEnded++) {
      this.#gone[this.#numGone++] = finishingIndex[numEnded]! - numEnded + numJoined;
    }
  }
}
