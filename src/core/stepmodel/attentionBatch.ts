import type { ScheduledBatch } from "../batch/scheduledBatch.js";
import { decodeKvTokens } from "../model/attentionSpan.js";

/** The rows of a step as attention sees them, read again for every step into the same objects. */
export class AttentionBatch {
  /** The step's prefill chunks, out of `#spareChunks`. */
  readonly chunks: { newTokens: number; contextTokens: number }[] = [];
  readonly totals = { numRequests: 0, sumContextTokens: 0, maxContextTokens: 0 };
  readonly #spareChunks: { newTokens: number; contextTokens: number }[] = [];

  takeChunks(batch: ScheduledBatch): void {
    const chunks = this.chunks;
    let numChunks = 0;
    for (let row = 0; row < batch.numRows; row++) {
      if (isDecodeRow(batch, row)) continue;
      if (numChunks === this.#spareChunks.length) this.#spareChunks.push({ newTokens: 0, contextTokens: 0 });
      const chunk = this.#spareChunks[numChunks]!;
      chunk.newTokens = batch.numNewTokens[row]!;
      chunk.contextTokens = batch.numContextTokens[row]!;
      chunks[numChunks++] = chunk;
    }
    // Setting a length costs a call even where it changes nothing.
    if (chunks.length !== numChunks) chunks.length = numChunks;
  }

  /** Those in lockstep have no window to be cut off by (`StepModel.pricesLockstep`). */
  sumDecodes(batch: ScheduledBatch, slidingWindow: number): void {
    const totals = this.totals;
    totals.numRequests = batch.numLockstep;
    totals.sumContextTokens = batch.sumLockstepContextTokens;
    totals.maxContextTokens = batch.maxLockstepContextTokens;
    for (let row = 0; row < batch.numRows; row++) {
      if (!isDecodeRow(batch, row)) continue;
      const kvTokens = decodeKvTokens(batch.numContextTokens[row]! + 1, slidingWindow);
      totals.numRequests++;
      totals.sumContextTokens += kvTokens;
      if (kvTokens > totals.maxContextTokens) totals.maxContextTokens = kvTokens;
    }
  }
}

/** A row of several tokens is a chunk, even where they are drafts to verify. */
function isDecodeRow(batch: ScheduledBatch, row: number): boolean {
  return batch.isDecode[row] === 1 && batch.numNewTokens[row] === 1;
}
