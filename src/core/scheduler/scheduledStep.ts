import { ScheduledBatch } from "../batch/scheduledBatch.js";
import type { Request } from "../request/request.js";
import type { RunningList } from "./runningList.js";

/** How a row came into its step: it was running, it is admitted for the first time, or again after a preemption. */
export const ROW_RUNNING = 0;
export const ROW_NEW = 1;
export const ROW_RESUMED = 2;

/**
 * One engine step: whose rows the batch has, and after `Scheduler.update` what came of them.
 * Reused; valid until handed to `Scheduler.schedule` again, and needed by the scheduler until the step after it was
 * updated: with D steps in flight keep D + 2 objects.
 * All row columns are `[numRows]`, in batch order.
 */
export class ScheduledStep {
  /** What the step model prices. Filled by `schedule`. */
  readonly batch: ScheduledBatch;
  /** Requests in the step, those in lockstep included; equals `batch.numRequests` once scheduled. */
  numRequests = 0;
  /** Rows in use: one for each request that is not in lockstep. */
  numRows = 0;
  readonly requests: Request[] = [];
  readonly numNewTokens: Int32Array;
  /** ROW_RUNNING, ROW_NEW or ROW_RESUMED. */
  readonly kind: Uint8Array;
  /** Tokens found in the prefix cache on admission, 0 for running rows. */
  readonly numHitTokens: Int32Array;
  /** Speculative tokens the step verifies. */
  readonly numDraftTokens: Int32Array;
  /** 1 when the row's last position is sampled: it yields unless the request is done by then. */
  readonly isSampled: Uint8Array;
  /** `numPreemptions` of the row's request when it was scheduled: a larger one at update means it was preempted since. */
  readonly numPreemptionsBefore: Int32Array;
  /** Tokens the row delivered; filled by `update`, 0 before. */
  readonly numTokensOut: Int32Array;
  /** Requests in lockstep that stand before the row. */
  readonly numLockstepBefore: Int32Array;

  /** Requests that decode one token each without a row of their own. */
  numLockstep = 0;
  /** Which of the lockstep's steps it is, from 0; −1 when nobody is in lockstep. */
  tick = -1;
  /** Those of them that have their last token here, in order; `[numFinishing]` in use. */
  readonly finishing: Request[] = [];
  /** How many in lockstep stand before each, parallel to `finishing`. */
  readonly finishingIndex: number[] = [];
  numFinishing = 0;

  /** Requests preempted while this step was planned, in order; `[numPreempted]` in use. */
  readonly preempted: Request[] = [];
  numPreempted = 0;
  /** Requests that finished with this step's tokens, in batch order; `[numFinished]` in use, filled by `update`. */
  readonly finished: Request[] = [];
  numFinished = 0;

  /** @param maxNumSeqs most rows a step can have */
  constructor(maxNumSeqs: number) {
    this.batch = new ScheduledBatch(maxNumSeqs);
    this.numNewTokens = new Int32Array(maxNumSeqs);
    this.kind = new Uint8Array(maxNumSeqs);
    this.numHitTokens = new Int32Array(maxNumSeqs);
    this.numDraftTokens = new Int32Array(maxNumSeqs);
    this.isSampled = new Uint8Array(maxNumSeqs);
    this.numPreemptionsBefore = new Int32Array(maxNumSeqs);
    this.numTokensOut = new Int32Array(maxNumSeqs);
    this.numLockstepBefore = new Int32Array(maxNumSeqs);
  }

  clear(): void {
    this.batch.clear();
    this.numRequests = 0;
    this.numRows = 0;
    this.numPreempted = 0;
    this.numFinished = 0;
    this.numLockstep = 0;
    this.tick = -1;
    this.numFinishing = 0;
  }

  /** Appends a row. */
  push(request: Request, numNewTokens: number, kind: number, numHitTokens: number, numDraftTokens: number): void {
    const row = this.numRows++;
    this.numRequests++;
    this.requests[row] = request;
    this.numNewTokens[row] = numNewTokens;
    this.kind[row] = kind;
    this.numHitTokens[row] = numHitTokens;
    this.numDraftTokens[row] = numDraftTokens;
    this.numTokensOut[row] = 0;
    this.numLockstepBefore[row] = 0;
  }

  /** Lists a request in lockstep that has its last token here. @param index how many in lockstep stand before it */
  addFinishing(request: Request, index: number): void {
    const { finishing, finishingIndex } = this;
    let at = this.numFinishing++;
    for (; at > 0 && finishingIndex[at - 1]! > index; at--) {
      finishing[at] = finishing[at - 1]!;
      finishingIndex[at] = finishingIndex[at - 1]!;
    }
    finishing[at] = request;
    finishingIndex[at] = index;
  }

  /**
   * Gives each request that is in lockstep in this step a row among the others; what was finishing finishes as a row
   * does. The batch has been priced and stays as it is.
   * @param running all resident requests, in order
   */
  listLockstep(running: RunningList): void {
    const rows = this.requests.slice(0, this.numRows);
    const isSampled = this.isSampled.slice(0, this.numRows);
    const numNewTokens = this.numNewTokens.slice(0, this.numRows);
    const numPreemptionsBefore = this.numPreemptionsBefore.slice(0, this.numRows);
    const numLockstepBefore = this.numLockstepBefore.slice(0, this.numRows);
    this.numRows = 0;
    this.numRequests = 0;
    let index = 0;
    let next = 0;
    const pushRowsBefore = (numBefore: number) => {
      for (; next < rows.length && numLockstepBefore[next]! <= numBefore; next++) {
        this.push(rows[next]!, numNewTokens[next]!, ROW_RUNNING, 0, 0);
        this.isSampled[this.numRows - 1] = isSampled[next]!;
        this.numPreemptionsBefore[this.numRows - 1] = numPreemptionsBefore[next]!;
      }
    };
    for (let request = running.first; request !== null; request = request.nextRunning) {
      if (!request.isInTick(this.tick)) continue;
      pushRowsBefore(index++);
      this.push(request, 1, ROW_RUNNING, 0, 0);
      this.isSampled[this.numRows - 1] = 1;
      this.numPreemptionsBefore[this.numRows - 1] = request.numPreemptions;
    }
    pushRowsBefore(index);
    this.tick = -1;
    this.numLockstep = 0;
    this.numFinishing = 0;
  }

  /**
   * Gives the last of those in lockstep a row of its own: whoever came after it has gone, or has a row already. The batch
   * has been priced and stays as it is. O(rows).
   * @param numTokensOut 1 when its token has been delivered, 0 when the step is in flight
   * @returns its row
   */
  listLast(request: Request, numTokensOut: number): number {
    const { finishing, finishingIndex } = this;
    let index = this.numLockstep - 1;
    let ended = this.numFinishing - 1;
    for (; ended >= 0 && finishingIndex[ended] === index && finishing[ended] !== request; ended--) index--;
    if (ended >= 0 && finishing[ended] === request) this.numFinishing = this.#dropFinishing(ended);
    for (let i = Math.max(ended, 0); i < this.numFinishing; i++) if (finishingIndex[i]! > index) finishingIndex[i]!--;
    let row = this.numRows;
    for (; row > 0 && this.numLockstepBefore[row - 1]! > index; row--) this.numLockstepBefore[row - 1]!--;
    this.#insertDecode(row, request);
    this.numTokensOut[row] = numTokensOut;
    this.numLockstepBefore[row] = index;
    this.numLockstep--;
    return row;
  }

  /** @returns how many are left */
  #dropFinishing(at: number): number {
    this.finishing.copyWithin(at, at + 1, this.numFinishing);
    this.finishingIndex.copyWithin(at, at + 1, this.numFinishing);
    return this.numFinishing - 1;
  }

  /** Puts a row of one token before another's, in a step that has been planned. */
  #insertDecode(row: number, request: Request): void {
    const end = this.numRows++;
    // Within: it would not make the list longer.
    if (this.requests.length === end) this.requests.push(request);
    this.requests.copyWithin(row + 1, row, end);
    this.numNewTokens.copyWithin(row + 1, row, end);
    this.kind.copyWithin(row + 1, row, end);
    this.numHitTokens.copyWithin(row + 1, row, end);
    this.numDraftTokens.copyWithin(row + 1, row, end);
    this.isSampled.copyWithin(row + 1, row, end);
    this.numPreemptionsBefore.copyWithin(row + 1, row, end);
    this.numTokensOut.copyWithin(row + 1, row, end);
    this.numLockstepBefore.copyWithin(row + 1, row, end);
    this.requests[row] = request;
    this.numNewTokens[row] = 1;
    this.kind[row] = ROW_RUNNING;
    this.numHitTokens[row] = 0;
    this.numDraftTokens[row] = 0;
    this.isSampled[row] = 1;
    this.numPreemptionsBefore[row] = request.numPreemptions;
  }

  /** Row of a request, −1 when it has none; O(rows). */
  rowOf(request: Request): number {
    for (let row = 0; row < this.numRows; row++) if (this.requests[row] === request) return row;
    return -1;
  }

  /** Takes a row out before the batch is filled, keeping the order of the others; O(rows). @returns its tokens */
  withdraw(row: number): number {
    const numNewTokens = this.numNewTokens[row]!;
    const end = this.numRows--;
    this.numRequests--;
    this.requests.copyWithin(row, row + 1, end);
    this.numNewTokens.copyWithin(row, row + 1, end);
    this.kind.copyWithin(row, row + 1, end);
    this.numHitTokens.copyWithin(row, row + 1, end);
    this.numDraftTokens.copyWithin(row, row + 1, end);
    return numNewTokens;
  }
}
