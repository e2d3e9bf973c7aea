import { BinnedCounts } from "../metrics/binnedCounts.js";
import type { Request } from "../request/request.js";
import type { ScheduledStep } from "../scheduler/scheduledStep.js";
import type { ServerOverheads } from "../stepmodel/serverOverheads.js";
import { LockstepGaps } from "./lockstepGaps.js";

/**
 * The front end's way out: one process streams a step's tokens to their clients, one after the other in batch order,
 * behind those of the steps before. It writes into the requests what their clients see of them.
 */
export class TokenStream {
  readonly #outputUs: number;
  readonly #usPerToken: number;
  /**
   * Times between successive output tokens of a request, µs, as its client sees them: all that any client saw, those of
   * requests that were given up later included. Tokens that come together are one.
   */
  readonly gapsUs = new BinnedCounts();
  readonly #lockstepGaps: LockstepGaps;
  /** When the process has sent all tokens it was given. */
  #freeUs = 0;
  /** When it began with those of the last step. */
  #fromUs = 0;
  #busyUs = 0;

  constructor({ outputUs, outputUsPerToken }: ServerOverheads) {
    this.#outputUs = outputUs;
    this.#usPerToken = outputUsPerToken;
    this.#lockstepGaps = new LockstepGaps(this.gapsUs, outputUsPerToken);
  }

  /** Time spent streaming, µs. */
  get busyUs(): number {
    return this.#busyUs;
  }

  /** When the last of so many clients would see its token of a step that is updated at a time. */
  lastSeenUs(updatedUs: number, numTokens: number): number {
    return this.#startUs(updatedUs) + numTokens * this.#usPerToken;
  }

  /** The tokens of a step that was updated reach their clients. */
  deliver(step: ScheduledStep, updatedUs: number): void {
    this.#fromUs = this.#startUs(updatedUs);
    this.#lockstepGaps.onStep(step, this.#fromUs);
    const { finishing, finishingIndex, numFinishing } = step;
    let numEnded = 0;
    let numRows = 0;
    for (let row = 0; row < step.numRows; row++) {
      if (step.numTokensOut[row] === 0) continue;
      const numBefore = step.numLockstepBefore[row]!;
      for (; numEnded < numFinishing && finishingIndex[numEnded]! < numBefore; numEnded++) {
        seeLast(finishing[numEnded]!, this.#seenUs(finishingIndex[numEnded]! + numRows + 1));
      }
      numRows++;
      this.#see(step.requests[row]!, step.numTokensOut[row]!, this.#seenUs(numBefore + numRows));
    }
    for (; numEnded < numFinishing; numEnded++) {
      seeLast(finishing[numEnded]!, this.#seenUs(finishingIndex[numEnded]! + numRows + 1));
    }
    const numTokens = step.numLockstep + numRows;
    this.#busyUs += numTokens * this.#usPerToken;
    this.#freeUs = this.#seenUs(numTokens);
  }

  /** A request leaves the lockstep before its end: what its client has seen up to the last step. */
  settle(request: Request, numTokens: number, numBefore: number): void {
    request.lastTokenUs = this.#seenUs(numBefore + 1);
    request.numSeenTokens += numTokens;
  }

  #startUs(updatedUs: number): number {
    return Math.max(updatedUs + this.#outputUs, this.#freeUs);
  }

  /** When the clients see the last of a step's first `numTokens` rows' tokens: they are sent one after the other. */
  #seenUs(numTokens: number): number {
    return this.#fromUs + numTokens * this.#usPerToken;
  }

  #see(request: Request, numTokens: number, seenUs: number): void {
    // What comes after its client gave up, nobody sees.
    if (seenUs > request.spec.arrivalUs + request.spec.timeoutUs) return;
    if (Number.isNaN(request.firstTokenUs)) request.firstTokenUs = seenUs;
    else this.gapsUs.add(seenUs - request.lastTokenUs, 1);
    request.lastTokenUs = seenUs;
    request.numSeenTokens += numTokens;
  }
}

/** The end of a request in lockstep: nobody there has given up. */
function seeLast(request: Request, seenUs: number): void {
  request.lastTokenUs = seenUs;
  request.numSeenTokens = request.numOutputTokens;
}
