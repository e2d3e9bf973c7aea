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
    const { tick } = this;
    this.numRows = 0;
    this.numRequests = 0;
    let next = 0;
    for (let request = running.first; request !== null; request = request.nextRunning) {
      while (next < rows.length && rows[next]!.isDone) next++;
      const isListed = rows[next] === request;
      if (!isListed && !request.isInTick(tick)) continue;
      this.push(request, isListed ? numNewTokens[next]! : 1, ROW_RUNNING, 0, 0);
      this.isSampled[this.numRows - 1] = isListed ? isSampled[next]! : 1;
      this.numPreemptionsBefore[this.numRows - 1] = request.numPreemptions;
      if (isListed) next++;
    }
    this.tick = -1;
    this.numLockstep = 0;
    this.numFinishing = 0;
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
