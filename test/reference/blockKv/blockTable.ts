import type { KvSequence } from "../../../src/core/request/kvSequence.js";

/** What the block-by-block cache keeps with a sequence: its blocks and their hashes. */
export class BlockTable {
  readonly sequence: KvSequence;
  /** Block ids in token order, `[sequence.numBlocks]` in use; the null block where a sliding window has passed. */
  blockIds = new Int32Array(8);

  /** Hashes of full blocks, two words each: `[2 · numHashedBlocks]` in use. */
  blockHashes = new Int32Array(0);
  numHashedBlocks = 0;
  /** Where the next block to hash begins: segment (`promptSegments.length` = the output) and token within it. */
  hashedSegmentIndex = 0;
  hashedSegmentOffset = 0;

  constructor(sequence: KvSequence) {
    this.sequence = sequence;
  }

  /** The table of a sequence, made if it has none. */
  static of(sequence: KvSequence): BlockTable {
    if (sequence.cacheState === null) sequence.cacheState = new BlockTable(sequence);
    return sequence.cacheState as BlockTable;
  }

  /** Appends a block; amortised O(1). */
  append(blockId: number): void {
    if (this.sequence.numBlocks === this.blockIds.length) {
      const grown = new Int32Array(2 * this.blockIds.length);
      grown.set(this.blockIds);
      this.blockIds = grown;
    }
    this.blockIds[this.sequence.numBlocks++] = blockId;
  }

  toArray(): number[] {
    return [...this.blockIds.subarray(0, this.sequence.numBlocks)];
  }
}
