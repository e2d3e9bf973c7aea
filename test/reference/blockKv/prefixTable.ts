import { NULL_BLOCK } from "./freeBlockQueue.js";

/**
 * Which block holds which hash. Equal blocks may stand here several times (requests that computed the same tokens at
 * once each have their own copy); a lookup gives the one registered first among those left.
 *
 * Chained hash table in typed arrays sized by the pool: at most one entry per block, so it never grows or allocates.
 */
export class PrefixTable {
  readonly #bucketMask: number;
  /** Per bucket: its first and last block, NULL_BLOCK when empty. New entries go last, which keeps registration order. */
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  /** Per block: neighbours in its bucket, the two hash words, and whether it is here at all. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #hashLow: Int32Array;
  readonly #hashHigh: Int32Array;
  readonly #isPresent: Uint8Array;

  /** @param numGpuBlocks block ids range below it */
  constructor(numGpuBlocks: number) {
    let numBuckets = 16;
    while (numBuckets < numGpuBlocks) numBuckets *= 2;
    this.#bucketMask = numBuckets - 1;
    this.#first = new Int32Array(numBuckets);
    this.#last = new Int32Array(numBuckets);
    this.#next = new Int32Array(numGpuBlocks);
    this.#previous = new Int32Array(numGpuBlocks);
    this.#hashLow = new Int32Array(numGpuBlocks);
    this.#hashHigh = new Int32Array(numGpuBlocks);
    this.#isPresent = new Uint8Array(numGpuBlocks);
  }

  has(blockId: number): boolean {
    return this.#isPresent[blockId] === 1;
  }

  /** Pre-condition: the block is not the null block and not here yet. */
  insert(blockId: number, hashLow: number, hashHigh: number): void {
    this.#hashLow[blockId] = hashLow;
    this.#hashHigh[blockId] = hashHigh;
    this.#isPresent[blockId] = 1;
    const bucket = hashLow & this.#bucketMask;
    const last = this.#last[bucket]!;
    this.#next[blockId] = NULL_BLOCK;
    this.#previous[blockId] = last;
    this.#last[bucket] = blockId;
    if (last === NULL_BLOCK) this.#first[bucket] = blockId;
    else this.#next[last] = blockId;
  }

  /** Pre-condition: the block is here. */
  remove(blockId: number): void {
    const bucket = this.#hashLow[blockId]! & this.#bucketMask;
    const next = this.#next[blockId]!;
    const previous = this.#previous[blockId]!;
    if (previous === NULL_BLOCK) this.#first[bucket] = next;
    else this.#next[previous] = next;
    if (next === NULL_BLOCK) this.#last[bucket] = previous;
    else this.#previous[next] = previous;
    this.#isPresent[blockId] = 0;
  }

  /** The block registered first with this hash, NULL_BLOCK when there is none. */
  find(hashLow: number, hashHigh: number): number {
    let blockId = this.#first[hashLow & this.#bucketMask]!;
    while (blockId !== NULL_BLOCK) {
      if (this.#hashLow[blockId] === hashLow && this.#hashHigh[blockId] === hashHigh) return blockId;
      blockId = this.#next[blockId]!;
    }
    return NULL_BLOCK;
  }
}
