import type { KvSequence } from "../request/kvSequence.js";

/** How a KV cache is cut into blocks. */
export interface KvCacheConfig {
  /** Tokens per block, ≥ 1. */
  readonly blockSize: number;
  readonly enablePrefixCaching: boolean;
}

/**
 * What the scheduler asks of the KV cache: blocks for the tokens of sequences, and the blocks of a prompt that are
 * there already. A released block keeps its contents until it is taken for another use, the least recently released
 * first; of the blocks released at once, the last of the sequence. A shortage is a `false`, never an exception, and
 * changes nothing.
 *
 * Sequences in lockstep grow by one token each at every `advanceLockstep`; until they leave, no other call may be
 * given them.
 *
 * @see vLLM v1/core/kv_cache_manager.py, block_pool.py: the rules of allocation, lookup and eviction
 */
export interface KvCache {
  readonly config: KvCacheConfig;
  /** Blocks that sequences can hold. */
  readonly numUsableBlocks: number;
  /** Blocks without a holder, those that still have reusable contents included. */
  readonly numFreeBlocks: number;
  /** Share of the usable blocks that have a holder, 0–1. */
  readonly usageFraction: number;

  /**
   * Looks up the longest cached prefix of a sequence without blocks; valid until the cache changes.
   * At least the last of its tokens is left to compute.
   * @param numTokens known tokens of the sequence
   * @param dropsLastBlock a drafter with KV of its own must recompute the last hit block
   * @returns hit blocks, to be passed to `admit`
   */
  findHits(sequence: KvSequence, numTokens: number, dropsLastBlock: boolean): number;

  /**
   * First blocks of a sequence that has none: the hits of the last `findHits`, and new ones for the tokens after them.
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
  ): boolean;

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
  ): boolean;

  /** New blocks that a growth to so many slots would take, 0 when the sequence has them. */
  numBlocksToGrow(sequence: KvSequence, numSlotTokens: number): number;

  /** Makes the blocks that are full of the first `numTokens` tokens findable; those already are stay so. */
  register(sequence: KvSequence, numTokens: number): void;

  /** Gives up every block, the last first, so that the head of a sequence outlives its tail in the cache. */
  free(sequence: KvSequence): void;

  /**
   * Most blocks a sequence of this length can hold at once.
   * @param maxNumBatchedTokens most tokens it computes in one step
   */
  maxBlocksHeld(numTokens: number, maxNumBatchedTokens: number): number;

  /**
   * Last slot tokens of each member whose contents are not known yet: 0, or 1 with a step in flight. At any time a
   * member's other tokens are registered as by `register`; a greater lag takes no registration back.
   */
  lockstepLag: number;
  /** New blocks that the next `advanceLockstep` takes. */
  readonly numLockstepBlocks: number;

  /**
   * From the next advance on the sequence gets one token more per advance.
   * Pre-condition: its blocks are as many as its slots need, and those full of its prompt are registered.
   * @param numSlotTokens tokens it has slots for, ≥ 1
   */
  joinLockstep(sequence: KvSequence, numSlotTokens: number): void;

  /**
   * Every member gets room for one token more, as if each called `grow`: who is farther first, then who joined first.
   * @returns false on a shortage for all of them together
   */
  advanceLockstep(): boolean;

  /** The member keeps what it has, and may be given to the other calls again. */
  leaveLockstep(sequence: KvSequence): void;
}
