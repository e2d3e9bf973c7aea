import type { KvSequence } from "../request/kvSequence.js";
import { extendBlockHashes } from "./blockHash.js";
import type { BlockPool } from "./blockPool.js";
import { NULL_BLOCK } from "./freeBlockQueue.js";

/** How sequences use the block pool. */
export interface KvCacheConfig {
  /** Tokens per block, ≥ 1. */
  readonly blockSize: number;
  readonly enablePrefixCaching: boolean;
  /** Tokens a position attends to, itself included, when every layer slides; 0 = full attention. */
  readonly slidingWindow: number;
}

/**
 * Gives sequences the blocks their tokens need, and finds the ones the cache already has. One group of layers: all
 * full attention, or all with one sliding window. A shortage is a `false`, never an exception, and changes nothing but
 * the blocks a window has passed.
 *
 * @see vLLM v1/core/kv_cache_manager.py, single_type_kv_cache_manager.py: the rules of allocation and lookup
 */
export class KvCacheManager {
  readonly pool: BlockPool;
  readonly config: KvCacheConfig;
  readonly #blockSize: number;
  /** Blocks found by the last `findHits`. */
  #hits = new Int32Array(16);

  constructor(pool: BlockPool, config: KvCacheConfig) {
    this.pool = pool;
    this.config = config;
    this.#blockSize = config.blockSize;
  }

  /**
   * Looks up the longest cached prefix of a sequence without blocks; valid until the pool changes.
   * At least the last of its tokens is left to compute. O(blocks of the prefix).
   * @param numTokens known tokens of the sequence
   * @param dropsLastBlock a drafter with KV of its own must recompute the last hit block
   * @returns hit blocks, to be passed to `admit`
   */
  findHits(sequence: KvSequence, numTokens: number, dropsLastBlock: boolean): number {
    if (!this.config.enablePrefixCaching) return 0;
    const maxHits = Math.floor((numTokens - 1) / this.#blockSize);
    extendBlockHashes(sequence, maxHits, this.#blockSize);
    if (maxHits > this.#hits.length) this.#hits = new Int32Array(2 * maxHits);
    if (this.config.slidingWindow > 0) return this.#findHitsInWindow(sequence, maxHits, dropsLastBlock);
    const hashes = sequence.blockHashes;
    let numHits = 0;
    while (numHits < maxHits) {
      const blockId = this.pool.find(hashes[2 * numHits]!, hashes[2 * numHits + 1]!);
      if (blockId === NULL_BLOCK) break;
      this.#hits[numHits++] = blockId;
    }
    return dropsLastBlock && numHits > 0 ? numHits - 1 : numHits;
  }

  /**
   * First blocks of a sequence that has none: the hits of `findHits`, and new ones for the tokens after them.
   * @param numNewTokens tokens to compute after the hits, ≥ 1
   * @param numTokens known tokens: only blocks full of these become findable
   * @param numBlocksToLeave free blocks that must remain
   * @returns false on a shortage
   */
  admit(
    sequence: KvSequence,
    numHits: number,
    numNewTokens: number,
    numTokens: number,
    numBlocksToLeave: number,
  ): boolean {
    const pool = this.pool;
    const hits = this.#hits;
    const numSlots = numHits * this.#blockSize + numNewTokens;
    const numNewBlocks = Math.ceil(numSlots / this.#blockSize) - numHits;
    let numRevived = 0;
    for (let i = 0; i < numHits; i++) if (hits[i] !== NULL_BLOCK && pool.refCnt(hits[i]!) === 0) numRevived++;
    if (numNewBlocks + numRevived + numBlocksToLeave > pool.numFreeBlocks) return false;
    for (let i = 0; i < numHits; i++) {
      pool.touch(hits[i]!);
      sequence.appendBlock(hits[i]!);
    }
    sequence.numRegisteredBlocks = numHits;
    for (let i = 0; i < numNewBlocks; i++) sequence.appendBlock(pool.allocate());
    this.register(sequence, Math.min(numSlots, numTokens));
    return true;
  }

  /**
   * Room for the next tokens of a sequence that holds its computed ones.
   * @param numLookaheadTokens slots beyond the new tokens, for a drafter
   * @param numTokens known tokens: only blocks full of these become findable
   * @returns false on a shortage
   */
  grow(
    sequence: KvSequence,
    numComputedTokens: number,
    numNewTokens: number,
    numLookaheadTokens: number,
    numTokens: number,
  ): boolean {
    if (this.config.slidingWindow > 0) this.#dropPassedBlocks(sequence, numComputedTokens);
    const numSlots = numComputedTokens + numNewTokens;
    const numNewBlocks = Math.ceil((numSlots + numLookaheadTokens) / this.#blockSize) - sequence.numBlocks;
    if (numNewBlocks > this.pool.numFreeBlocks) return false;
    for (let i = 0; i < numNewBlocks; i++) sequence.appendBlock(this.pool.allocate());
    this.register(sequence, Math.min(numSlots, numTokens));
    return true;
  }

  /** Makes the blocks that are full of the first `numTokens` tokens findable; those already are stay so. */
  register(sequence: KvSequence, numTokens: number): void {
    if (!this.config.enablePrefixCaching) return;
    const numFullBlocks = Math.floor(numTokens / this.#blockSize);
    if (numFullBlocks <= sequence.numRegisteredBlocks) return;
    extendBlockHashes(sequence, numFullBlocks, this.#blockSize);
    const hashes = sequence.blockHashes;
    for (let i = sequence.numRegisteredBlocks; i < numFullBlocks; i++) {
      this.pool.register(sequence.blockTable[i]!, hashes[2 * i]!, hashes[2 * i + 1]!);
    }
    sequence.numRegisteredBlocks = numFullBlocks;
  }

  /** Gives up every block, the last first, so that the head of a sequence outlives its tail in the cache. */
  free(sequence: KvSequence): void {
    for (let i = sequence.numBlocks - 1; i >= 0; i--) this.pool.release(sequence.blockTable[i]!);
    sequence.numBlocks = 0;
    sequence.numRegisteredBlocks = 0;
  }

  /**
   * Most blocks a sequence of this length can hold at once.
   * @param maxNumBatchedTokens most tokens it computes in one step
   */
  maxBlocksHeld(numTokens: number, maxNumBatchedTokens: number): number {
    const numBlocks = Math.ceil(numTokens / this.#blockSize);
    if (this.config.slidingWindow === 0) return numBlocks;
    // One more because a window seldom begins at the edge of a block.
    const inWindow = Math.ceil((this.config.slidingWindow - 1 + maxNumBatchedTokens) / this.#blockSize) + 1;
    return Math.min(numBlocks, inWindow);
  }

  /** A window needs only the blocks it reaches back to: the rightmost run of hits that is long enough will do. */
  #findHitsInWindow(sequence: KvSequence, maxHits: number, dropsLastBlock: boolean): number {
    const numDropped = dropsLastBlock ? 1 : 0;
    const runNeeded = Math.ceil((this.config.slidingWindow - 1) / this.#blockSize) + numDropped;
    const hashes = sequence.blockHashes;
    const hits = this.#hits;
    let run = 0;
    let numHits = 0;
    let i = maxHits - 1;
    for (; i >= 0 && (run < runNeeded || run === 0); i--) {
      const blockId = this.pool.find(hashes[2 * i]!, hashes[2 * i + 1]!);
      hits[i] = blockId;
      if (blockId === NULL_BLOCK) run = 0;
      else if (run++ === 0) numHits = i + 1;
    }
    if (run === 0) return 0;
    for (; i >= 0; i--) hits[i] = NULL_BLOCK;
    return numHits - numDropped;
  }

  /** Releases blocks no later token attends to, the last first; the null block takes their place. */
  #dropPassedBlocks(sequence: KvSequence, numComputedTokens: number): void {
    const firstUseful = Math.floor((numComputedTokens - this.config.slidingWindow + 1) / this.#blockSize);
    for (let i = Math.min(firstUseful, sequence.numBlocks) - 1; i >= 0; i--) {
      const blockId = sequence.blockTable[i]!;
      if (blockId === NULL_BLOCK) break;
      this.pool.release(blockId);
      sequence.blockTable[i] = NULL_BLOCK;
    }
  }
}
