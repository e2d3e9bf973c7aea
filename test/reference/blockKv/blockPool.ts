import { FreeBlockQueue, NULL_BLOCK } from "./freeBlockQueue.js";
import { PrefixTable } from "./prefixTable.js";

/**
 * The GPU's KV blocks: who holds them, which are free, and what they contain.
 * A released block keeps its contents and can be revived by a prefix hit until it is popped for another use;
 * the least recently released goes first (vLLM's eviction order).
 */
export class BlockPool {
  /** All blocks, the null block included. */
  readonly numGpuBlocks: number;
  readonly #freeBlockQueue: FreeBlockQueue;
  readonly #prefixTable: PrefixTable;
  /** Holders per block; 0 = free. */
  readonly #refCnt: Int32Array;

  /** @param numGpuBlocks including the null block, ≥ 2 */
  constructor(numGpuBlocks: number) {
    this.numGpuBlocks = numGpuBlocks;
    this.#freeBlockQueue = new FreeBlockQueue(numGpuBlocks);
    this.#prefixTable = new PrefixTable(numGpuBlocks);
    this.#refCnt = new Int32Array(numGpuBlocks);
  }

  /** Blocks requests can hold: all but the null block. */
  get numUsableBlocks(): number {
    return this.numGpuBlocks - 1;
  }

  /** Blocks without a holder, those that still have reusable contents included. */
  get numFreeBlocks(): number {
    return this.#freeBlockQueue.length;
  }

  /** Share of the usable blocks that have a holder, 0–1. */
  get usageFraction(): number {
    return 1 - this.numFreeBlocks / this.numUsableBlocks;
  }

  refCnt(blockId: number): number {
    return this.#refCnt[blockId]!;
  }

  /** Takes the least recently released block and forgets its contents; pre-condition: `numFreeBlocks` > 0. */
  allocate(): number {
    const blockId = this.#freeBlockQueue.popFront();
    if (this.#prefixTable.has(blockId)) this.evict(blockId);
    this.#refCnt[blockId] = 1;
    return blockId;
  }

  /** Adds a holder, reviving the block if it was free; the null block has no holders. */
  touch(blockId: number): void {
    if (blockId === NULL_BLOCK) return;
    const numHolders = this.#refCnt[blockId]!;
    if (numHolders === 0) this.#freeBlockQueue.remove(blockId);
    this.#refCnt[blockId] = numHolders + 1;
  }

  /** Drops a holder; without any the block becomes the last to be reused. The null block is left alone. */
  release(blockId: number): void {
    if (blockId === NULL_BLOCK) return;
    const numHolders = this.#refCnt[blockId]! - 1;
    this.#refCnt[blockId] = numHolders;
    if (numHolders === 0) this.#freeBlockQueue.pushBack(blockId);
  }

  /** Makes a full block findable; pre-condition: it was not registered since it was allocated. */
  register(blockId: number, hashLow: number, hashHigh: number): void {
    if (blockId !== NULL_BLOCK) this.#prefixTable.insert(blockId, hashLow, hashHigh);
  }

  /** The block with these contents, NULL_BLOCK when there is none; of several the one registered first. */
  find(hashLow: number, hashHigh: number): number {
    return this.#prefixTable.find(hashLow, hashHigh);
  }

  /** Forgets the contents of a block that is about to be reused. */
  protected evict(blockId: number): void {
    this.#prefixTable.remove(blockId);
  }
}
