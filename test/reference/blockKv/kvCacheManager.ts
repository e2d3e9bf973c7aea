import type { KvCache, KvCacheConfig } from "../../../src/core/kv/kvCache.js";
import type { KvSequence } from "../../../src/core/request/kvSequence.js";
import { extendBlockHashes } from "./blockHash.js";
import type { BlockPool } from "./blockPool.js";
import { BlockTable } from "./blockTable.js";
import { NULL_BLOCK } from "./freeBlockQueue.js";

/** How sequences use the block pool. */
export interface BlockKvConfig extends KvCacheConfig {
  /** Tokens a position attends to, itself included, when every layer slides; 0 = full attention. */
  readonly slidingWindow: number;
}

/**
 * The KV cache block by block, as vLLM has it: each block has an id, a holder count and a hash. One group of layers: all
 * full attention, or all with one sliding window. A shortage is a `false`, never an exception, and changes nothing but
 * the blocks a window has passed.
 *
 * @see vLLM v1/core/kv_cache_manager.py, single_type_kv_cache_manager.py: the rules of allocation and lookup
 */
export class KvCacheManager implements KvCache {
  readonly pool: BlockPool;
  readonly config: BlockKvConfig;
  readonly #blockSize: number;
  /** Members of the lockstep in the order of joining, with the tokens they have slots for. */
  readonly #lockstep = new Map<KvSequence, number>();
  #lockstepLag = 0;
  /** Blocks found by the last `findHits`. */
  #hits = new Int32Array(16);

  constructor(pool: BlockPool, config: BlockKvConfig) {
    this.pool = pool;
    this.config = config;
    this.#blockSize = config.blockSize;
  }

  get numUsableBlocks(): number {
    return this.pool.numUsableBlocks;
  }

  get numFreeBlocks(): number {
    return this.pool.numFreeBlocks;
  }

  get usageFraction(): number {
    return this.pool.usageFraction;
  }

  /** O(blocks of the prefix). */
  findHits(sequence: KvSequence, numTokens: number, dropsLastBlock: boolean): number {
    if (!this.config.enablePrefixCaching) return 0;
    const maxHits = Math.floor((numTokens - 1) / this.#blockSize);
    extendBlockHashes(BlockTable.of(sequence), maxHits, this.#blockSize);
    if (maxHits > this.#hits.length) this.#hits = new Int32Array(2 * maxHits);
    if (this.config.slidingWindow > 0) return this.#findHitsInWindow(sequence, maxHits, dropsLastBlock);
    const hashes = BlockTable.of(sequence).blockHashes;
    let numHits = 0;
    while (numHits < maxHits) {
      const blockId = this.pool.find(hashes[2 * numHits]!, hashes[2 * numHits + 1]!);
      if (blockId === NULL_BLOCK) break;
      this.#hits[numHits++] = blockId;
    }
    return dropsLastBlock && numHits > 0 ? numHits - 1 : numHits;
  }

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
      BlockTable.of(sequence).append(hits[i]!);
    }
    sequence.numRegisteredBlocks = numHits;
    for (let i = 0; i < numNewBlocks; i++) BlockTable.of(sequence).append(pool.allocate());
    this.register(sequence, Math.min(numSlots, numTokens));
    return true;
  }

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
    for (let i = 0; i < numNewBlocks; i++) BlockTable.of(sequence).append(this.pool.allocate());
    this.register(sequence, Math.min(numSlots, numTokens));
    return true;
  }

  numBlocksToGrow(sequence: KvSequence, numSlotTokens: number): number {
    return Math.max(0, Math.ceil(numSlotTokens / this.#blockSize) - sequence.numBlocks);
  }

  register(sequence: KvSequence, numTokens: number): void {
    if (!this.config.enablePrefixCaching) return;
    const numFullBlocks = Math.floor(numTokens / this.#blockSize);
    if (numFullBlocks <= sequence.numRegisteredBlocks) return;
    extendBlockHashes(BlockTable.of(sequence), numFullBlocks, this.#blockSize);
    const hashes = BlockTable.of(sequence).blockHashes;
    for (let i = sequence.numRegisteredBlocks; i < numFullBlocks; i++) {
      this.pool.register(BlockTable.of(sequence).blockIds[i]!, hashes[2 * i]!, hashes[2 * i + 1]!);
    }
    sequence.numRegisteredBlocks = numFullBlocks;
  }

  free(sequence: KvSequence): void {
    for (let i = sequence.numBlocks - 1; i >= 0; i--) this.pool.release(BlockTable.of(sequence).blockIds[i]!);
    sequence.numBlocks = 0;
    sequence.numRegisteredBlocks = 0;
  }

  maxBlocksHeld(numTokens: number, maxNumBatchedTokens: number): number {
    const numBlocks = Math.ceil(numTokens / this.#blockSize);
    if (this.config.slidingWindow === 0) return numBlocks;
    // One more because a window seldom begins at the edge of a block.
    const inWindow = Math.ceil((this.config.slidingWindow - 1 + maxNumBatchedTokens) / this.#blockSize) + 1;
    return Math.min(numBlocks, inWindow);
  }

  get lockstepLag(): number {
    return this.#lockstepLag;
  }

  set lockstepLag(numTokens: number) {
    this.#lockstepLag = numTokens;
    const members = [...this.#lockstep].sort((a, b) => b[1] - a[1]);
    for (const [sequence, numSlotTokens] of members) this.register(sequence, numSlotTokens - numTokens);
  }

  get numLockstepBlocks(): number {
    let numBlocks = 0;
    for (const [sequence, numSlotTokens] of this.#lockstep) {
      numBlocks += this.numBlocksToGrow(sequence, numSlotTokens + 1);
    }
    return numBlocks;
  }

  joinLockstep(sequence: KvSequence, numSlotTokens: number): void {
    this.#lockstep.set(sequence, numSlotTokens);
    this.register(sequence, numSlotTokens - this.#lockstepLag);
  }

  advanceLockstep(): boolean {
    if (this.numLockstepBlocks > this.numFreeBlocks) return false;
    for (const [sequence, numSlotTokens] of this.#lockstep) {
      this.grow(sequence, numSlotTokens, 1, 0, numSlotTokens + 1 - this.#lockstepLag);
      this.#lockstep.set(sequence, numSlotTokens + 1);
    }
    return true;
  }

  leaveLockstep(sequence: KvSequence): void {
    this.#lockstep.delete(sequence);
  }

  /** A window needs only the blocks it reaches back to: the rightmost run of hits that is long enough will do. */
  #findHitsInWindow(sequence: KvSequence, maxHits: number, dropsLastBlock: boolean): number {
    const numDropped = dropsLastBlock ? 1 : 0;
    const runNeeded = Math.ceil((this.config.slidingWindow - 1) / this.#blockSize) + numDropped;
    const hashes = BlockTable.of(sequence).blockHashes;
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
      const blockId = BlockTable.of(sequence).blockIds[i]!;
      if (blockId === NULL_BLOCK) break;
      this.pool.release(blockId);
      BlockTable.of(sequence).blockIds[i] = NULL_BLOCK;
    }
  }
}
