/**
 * One engine step as the scheduler planned it: parallel columns, one row per request, in batch order.
 * Reused: valid until the engine hands the same object to the scheduler again.
 */
export class ScheduledBatch {
  /** Rows in use. */
  numRequests = 0;
  /** Σ of `numNewTokens`. */
  numTokens = 0;
  /** Rows that yield at least one token after this step: positions whose logits are computed. */
  numSampled = 0;
  /** Tokens computed for the row in this step, ≥ 1. */
  readonly numNewTokens: Int32Array;
  /** Tokens of the row whose KV was in the cache before this step. */
  readonly numContextTokens: Int32Array;
  /** 1 when the row is a decode: its prompt (and, after preemption, its known output) was computed before this step. */
  readonly isDecode: Uint8Array;

  /** @param maxNumSeqs rows to make room for */
  constructor(maxNumSeqs: number) {
    this.numNewTokens = new Int32Array(maxNumSeqs);
    this.numContextTokens = new Int32Array(maxNumSeqs);
    this.isDecode = new Uint8Array(maxNumSeqs);
  }

  clear(): void {
    this.numRequests = 0;
    this.numTokens = 0;
    this.numSampled = 0;
  }

  /** Appends a row; the caller counts `numSampled`. */
  push(numNewTokens: number, numContextTokens: number, isDecode: boolean): void {
    const row = this.numRequests++;
    this.numNewTokens[row] = numNewTokens;
    this.numContextTokens[row] = numContextTokens;
    this.isDecode[row] = isDecode ? 1 : 0;
    this.numTokens += numNewTokens;
  }
}
