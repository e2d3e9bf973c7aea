import type { TokenSegment } from "./requestSpec.js";

/**
 * A request's tokens as the KV cache knows them: which tokens they are, and the blocks that hold their keys and values.
 * Plain data; `kv/` reads and writes it and never sees the request itself.
 */
export class KvSequence {
  /** Tokens of the prompt, in order. */
  readonly promptSegments: readonly TokenSegment[];
  /** Content whose tokens follow the prompt: what the request generates. */
  readonly outputContentId: number;
  /** Part of every block's identity besides its tokens: the LoRA adapter, null for the base model. */
  readonly adapter: string | null;

  /** Block ids in token order, `[numBlocks]` in use; the null block where a sliding window has passed. */
  blockTable = new Int32Array(8);
  numBlocks = 0;
  /** Leading blocks of the table that are known to the prefix cache (or were null when their turn came). */
  numRegisteredBlocks = 0;

  /** Hashes of full blocks, two words each: `[2 · numHashedBlocks]` in use. */
  blockHashes = new Int32Array(0);
  numHashedBlocks = 0;
  /** Where the next block to hash begins: segment (`promptSegments.length` = the output) and token within it. */
  hashedSegmentIndex = 0;
  hashedSegmentOffset = 0;

  constructor(promptSegments: readonly TokenSegment[], outputContentId: number, adapter: string | null) {
    this.promptSegments = promptSegments;
    this.outputContentId = outputContentId;
    this.adapter = adapter;
  }

  /** Appends a block to the table; amortised O(1). */
  appendBlock(blockId: number): void {
    if (this.numBlocks === this.blockTable.length) {
      const grown = new Int32Array(2 * this.blockTable.length);
      grown.set(this.blockTable);
      this.blockTable = grown;
    }
    this.blockTable[this.numBlocks++] = blockId;
  }
}
