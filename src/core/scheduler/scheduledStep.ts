import { ScheduledBatch } from "../batch/scheduledBatch.js";
import type { Request } from "../request/request.js";

/** How a row came into its step: it was running, it is admitted for the first time, or again after a preemption. */
export const ROW_RUNNING = 0;
export const ROW_NEW = 1;
export const ROW_RESUMED = 2;

/**
 * One engine step: whose rows the batch has, and after `Scheduler.update` what came of them.
 * Reused; valid until handed to `Scheduler.schedule` again. With D steps in flight keep D + 1 objects.
 * All row columns are `[batch.numRequests]`, in batch order.
 */
export class ScheduledStep {
  /** What the step model prices. Filled by `schedule`. */
  readonly batch: ScheduledBatch;
  /** Rows in use; equals `batch.numRequests` once scheduled. */
  numRequests = 0;
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
  }

  clear(): void {
    this.batch.clear();
    this.numRequests = 0;
    this.numPreempted = 0;
    this.numFinished = 0;
  }

  /** Appends a row. */
  push(request: Request, numNewTokens: number, kind: number, numHitTokens: number, numDraftTokens: number): void {
    const row = this.numRequests++;
    this.requests[row] = request;
    this.numNewTokens[row] = numNewTokens;
    this.kind[row] = kind;
    this.numHitTokens[row] = numHitTokens;
    this.numDraftTokens[row] = numDraftTokens;
    this.numTokensOut[row] = 0;
  }

  /** Row of a request, −1 when it has none; O(rows). */
  rowOf(request: Request): number {
    for (let row = 0; row < this.numRequests; row++) if (this.requests[row] === request) return row;
    return -1;
  }

  /** Takes a row out before the batch is filled, keeping the order of the others; O(rows). @returns its tokens */
  withdraw(row: number): number {
    const numNewTokens = this.numNewTokens[row]!;
    const end = this.numRequests--;
    this.requests.copyWithin(row, row + 1, end);
    this.numNewTokens.copyWithin(row, row + 1, end);
    this.kind.copyWithin(row, row + 1, end);
    this.numHitTokens.copyWithin(row, row + 1, end);
    this.numDraftTokens.copyWithin(row, row + 1, end);
    return numNewTokens;
  }
}
