import { InvariantError } from "../errors/simulationError.js";
import type { KvSequence } from "../request/kvSequence.js";
import { ContentTree } from "./contentTree.js";
import { ExtentCounts } from "./extentCounts.js";
import { ExtentStore } from "./extentStore.js";
import { Holding } from "./holding.js";
import type { KvCache, KvCacheConfig } from "./kvCache.js";
import { Lockstep } from "./lockstep.js";
import { PromptPaths } from "./promptPaths.js";

/**
 * A KV cache that counts in runs of blocks: to hold a prompt of ten tokens costs what one of ten thousand costs, and an
 * advance of the lockstep costs the same for any number of members. What it does is what vLLM does block by block:
 * the same hits, shortages and evictions.
 *
 * All layers keep all tokens (no sliding windows). Blocks have no ids: which free block a sequence gets can be seen
 * only by what it evicts.
 */
export class ExtentKvCache implements KvCache {
  readonly config: KvCacheConfig;
  readonly numUsableBlocks: number;
  readonly counts = new ExtentCounts();
  readonly #blockSize: number;
  readonly #enablePrefixCaching: boolean;
  readonly #tree: ContentTree;
  readonly #store: ExtentStore;
  readonly #lockstep: Lockstep;
  readonly #paths: PromptPaths;
  /** Holdings to use again, a list by `nextMember`. */
  #unused: Holding | null = null;

  /** @param numUsableBlocks blocks that sequences can hold, ≥ 0 */
  constructor(numUsableBlocks: number, config: KvCacheConfig) {
    const { blockSize, enablePrefixCaching } = config;
    this.config = config;
    this.numUsableBlocks = numUsableBlocks;
    this.#blockSize = blockSize;
    this.#enablePrefixCaching = enablePrefixCaching;
    this.#tree = new ContentTree(blockSize);
    this.#store = new ExtentStore(numUsableBlocks, this.#tree, this.counts);
    this.#lockstep = new Lockstep(blockSize);
    this.#paths = new PromptPaths(blockSize, this.#tree, this.#store, this.#lockstep, this.counts);
  }

  get numFreeBlocks(): number {
    return this.#store.numFreeBlocks;
  }

  get usageFraction(): number {
    return 1 - this.#store.numFreeBlocks / this.numUsableBlocks;
  }

  /** Contents it remembers, for tests of its memory. */
  get numContentNodes(): number {
    return this.#tree.numNodes;
  }

  findHits(sequence: KvSequence, numTokens: number, dropsLastBlock: boolean): number {
    if (!this.#enablePrefixCaching) return 0;
    const maxHits = Math.floor((numTokens - 1) / this.#blockSize);
    const numHits = this.#paths.findHits(this.#holdingOf(sequence), maxHits);
    return dropsLastBlock && numHits > 0 ? numHits - 1 : numHits;
  }

  admit(
    sequence: KvSequence,
    numHits: number,
    numNewTokens: number,
    numTokens: number,
    numBlocksToLeave: number,
  ): boolean {
    const numSlots = numHits * this.#blockSize + numNewTokens;
    const numNewBlocks = Math.ceil(numSlots / this.#blockSize) - numHits;
    const numSpareBlocks = this.#store.numFreeBlocks - numNewBlocks - numBlocksToLeave;
    if (numSpareBlocks < 0) return false;
    if (numHits > 0 && !this.#holdHits(sequence, numHits, numSpareBlocks)) return false;
    this.#store.allocate(numNewBlocks);
    sequence.numBlocks = numHits + numNewBlocks;
    sequence.numRegisteredBlocks = numHits;
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
    const numSlots = numComputedTokens + numNewTokens;
    const numNewBlocks = Math.ceil((numSlots + numLookaheadTokens) / this.#blockSize) - sequence.numBlocks;
    if (numNewBlocks > 0) {
      if (numNewBlocks > this.#store.numFreeBlocks) return false;
      this.#store.allocate(numNewBlocks);
      sequence.numBlocks += numNewBlocks;
    }
    this.register(sequence, Math.min(numSlots, numTokens));
    return true;
  }

  numBlocksToGrow(sequence: KvSequence, numSlotTokens: number): number {
    return Math.max(0, Math.ceil(numSlotTokens / this.#blockSize) - sequence.numBlocks);
  }

  register(sequence: KvSequence, numTokens: number): void {
    if (this.#enablePrefixCaching) this.#paths.register(this.#holdingOf(sequence), numTokens);
  }

  free(sequence: KvSequence): void {
    const numBlankBlocks = sequence.numBlocks - sequence.numRegisteredBlocks;
    this.#store.releaseBlank(numBlankBlocks);
    sequence.numBlocks = 0;
    sequence.numRegisteredBlocks = 0;
    const holding = sequence.cacheState as Holding | null;
    if (holding === null) return;
    this.#store.releaseChain(holding);
    sequence.cacheState = null;
    holding.sequence = null;
    holding.hitNode = null;
    holding.nextMember = this.#unused;
    this.#unused = holding;
  }

  maxBlocksHeld(numTokens: number): number {
    return Math.ceil(numTokens / this.#blockSize);
  }

  get lockstepLag(): number {
    return this.#lockstep.lag;
  }

  set lockstepLag(numTokens: number) {
    // Of members whose last known token just filled a block, a greater lag would forget that they registered it.
    const numMoreTokens = Math.min(numTokens - this.#lockstep.lag, this.#blockSize);
    for (let over = 0; over < numMoreTokens; over++) this.#settleMembers((over + this.#lockstep.lag) % this.#blockSize);
    this.#lockstep.lag = numTokens;
  }

  get numLockstepBlocks(): number {
    return this.#lockstep.numBlocks;
  }

  joinLockstep(sequence: KvSequence, numSlotTokens: number): void {
    if (sequence.numBlocks !== Math.ceil(numSlotTokens / this.#blockSize)) {
      throw new InvariantError(
        `a sequence with ${sequence.numBlocks} blocks joined the lockstep for ${numSlotTokens} tokens`,
      );
    }
    const member = this.#holdingOf(sequence);
    this.#lockstep.join(member, numSlotTokens);
    if (this.#enablePrefixCaching) this.#paths.park(member);
  }

  advanceLockstep(): boolean {
    const numNewBlocks = this.#lockstep.numBlocks;
    if (numNewBlocks > 0) {
      if (numNewBlocks > this.#store.numFreeBlocks) return false;
      this.#store.allocate(numNewBlocks);
    }
    this.#lockstep.advance();
    return true;
  }

  leaveLockstep(sequence: KvSequence): void {
    const member = this.#holdingOf(sequence);
    if (this.#enablePrefixCaching) this.#paths.unpark(member);
    sequence.numBlocks = Math.ceil(this.#lockstep.numSlotTokens(member) / this.#blockSize);
    this.#lockstep.leave(member);
  }

  /** @returns false when fewer than the hits that are free now would be spare */
  #holdHits(sequence: KvSequence, numHits: number, numSpareBlocks: number): boolean {
    const holding = this.#holdingOf(sequence);
    const hitNode = holding.hitNode!;
    if (numHits > numSpareBlocks && this.#store.numFreeInPrefix(hitNode, numHits) > numSpareBlocks) return false;
    this.#store.holdPrefix(holding, hitNode, numHits);
    return true;
  }

  #settleMembers(numTokensOver: number): void {
    for (let member = this.#lockstep.firstMemberWith(numTokensOver); member !== null; member = member.nextMember) {
      if (member.parkedOn !== null) this.#paths.settle(member.parkedOn);
    }
  }

  #holdingOf(sequence: KvSequence): Holding {
    const known = sequence.cacheState as Holding | null;
    if (known !== null) return known;
    let holding = this.#unused;
    if (holding === null) {
      holding = new Holding();
    } else {
      this.#unused = holding.nextMember;
      holding.nextMember = null;
    }
    holding.sequence = sequence;
    sequence.cacheState = holding;
    return holding;
  }
}
