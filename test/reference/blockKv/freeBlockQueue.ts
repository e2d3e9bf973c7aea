/** Block 0 is never handed out: it stands in tables where a sliding window has dropped a block. */
export const NULL_BLOCK = 0;

/**
 * Free blocks, least recently released first: a doubly linked list inside two typed arrays, so that a block revived
 * by a prefix hit leaves the middle in O(1). The null block, never free, serves as both ends of the ring.
 */
export class FreeBlockQueue {
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  #length: number;

  /** Starts with blocks 1 … numGpuBlocks − 1 in id order. @param numGpuBlocks including the null block, ≥ 1 */
  constructor(numGpuBlocks: number) {
    this.#next = new Int32Array(numGpuBlocks);
    this.#previous = new Int32Array(numGpuBlocks);
    for (let id = 0; id < numGpuBlocks; id++) {
      this.#next[id] = (id + 1) % numGpuBlocks;
      this.#previous[id] = (id + numGpuBlocks - 1) % numGpuBlocks;
    }
    this.#length = numGpuBlocks - 1;
  }

  get length(): number {
    return this.#length;
  }

  /** The block that would be popped next; the null block when empty. */
  get front(): number {
    return this.#next[NULL_BLOCK]!;
  }

  /** Takes the least recently released block; pre-condition: not empty. */
  popFront(): number {
    const blockId = this.#next[NULL_BLOCK]!;
    this.remove(blockId);
    return blockId;
  }

  /** Takes a block out wherever it stands; pre-condition: it is in the queue. */
  remove(blockId: number): void {
    const next = this.#next[blockId]!;
    const previous = this.#previous[blockId]!;
    this.#next[previous] = next;
    this.#previous[next] = previous;
    this.#length--;
  }

  /** Puts a block at the end; pre-condition: it is not in the queue. */
  pushBack(blockId: number): void {
    const last = this.#previous[NULL_BLOCK]!;
    this.#next[last] = blockId;
    this.#previous[blockId] = last;
    this.#next[blockId] = NULL_BLOCK;
    this.#previous[NULL_BLOCK] = blockId;
    this.#length++;
  }
}
