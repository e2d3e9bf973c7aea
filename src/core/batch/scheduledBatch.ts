/**
 * One engine step as the scheduler planned it: parallel columns, one row per request, in batch order. Requests that
 * decode in lockstep have no rows: they are known by their number and contexts.
 * Reused: valid until the engine hands the same object to the scheduler again.
 */
export class ScheduledBatch {
  /** Requests in the step, those in lockstep included. */
  numRequests = 0;
  /** Tokens computed for them. */
  numTokens = 0;
  /** Positions whose logits are computed: at least one for each request that yields a token. */
  numSampled = 0;
  /** Rows in use. */
  numRows = 0;
  /** Requests in lockstep: each decodes one token. */
  numLockstep = 0;
  /** Σ and maximum of their contexts, the token being computed included. */
  sumLockstepContextTokens = 0;
  maxLockstepContextTokens = 0;
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
    this.numRows = 0;
    this.numLockstep = 0;
    this.sumLockstepContextTokens = 0;
    this.maxLockstepContextTokens = 0;
  }

  /** Appends a row; the caller counts `numSampled`. */
  push(numNewTokens: number, numContextTokens: number, isDecode: boolean): void {
    const row = this.numRows++;
    this.numRequests++;
    this.numNewTokens[row] = numNewTokens;
    this.numContextTokens[row] = numContextTokens;
    this.isDecode[row] = isDecode ? 1 : 0;
    this.numTokens += numNewTokens;
  }

  /** Adds the requests in lockstep, all of them at once. */
  pushLockstep(numLockstep: number, sumContextTokens: number, maxContextTokens: number): void {
    this.numLockstep = numLockstep;
    this.sumLockstepContextTokens = sumContextTokens;
    this.maxLockstepContextTokens = maxContextTokens;
    this.numRequests += numLockstep;
    this.numTokens += numLockstep;
    this.numSampled += numLockstep;
  }
}
