import { Extent } from "./extent.js";

/**
 * Free extents, the next to be reused first, and how many blocks they are: a doubly linked list through the extents
 * themselves, so that one that a prefix hit revives leaves the middle in O(1).
 */
export class FreeExtentQueue {
  /** Both ends of the ring; has no blocks. */
  readonly #ends = new Extent();
  #numBlocks = 0;

  constructor() {
    this.#ends.previousFree = this.#ends;
    this.#ends.nextFree = this.#ends;
  }

  get numBlocks(): number {
    return this.#numBlocks;
  }

  /** The extent to take blocks from, its last first; pre-condition: `numBlocks` > 0. */
  get front(): Extent {
    return this.#ends.nextFree!;
  }

  /** The extent that was freed last; an empty extent when there is none. */
  get back(): Extent {
    return this.#ends.previousFree!;
  }

  pushBack(extent: Extent): void {
    this.#numBlocks += extent.endBlock - extent.firstBlock;
    this.#link(extent, this.#ends.previousFree!, this.#ends);
  }

  /** The lower part of an extent in the queue, cut off from it, follows it. */
  insertCut(lower: Extent, upper: Extent): void {
    this.#link(lower, upper, upper.nextFree!);
  }

  remove(extent: Extent): void {
    this.#numBlocks -= extent.endBlock - extent.firstBlock;
    const previous = extent.previousFree!;
    const next = extent.nextFree!;
    previous.nextFree = next;
    next.previousFree = previous;
  }

  /** An extent in the queue gets so many blocks more, or fewer. */
  resize(numMoreBlocks: number): void {
    this.#numBlocks += numMoreBlocks;
  }

  #link(extent: Extent, previous: Extent, next: Extent): void {
    extent.previousFree = previous;
    extent.nextFree = next;
    previous.nextFree = extent;
    next.previousFree = extent;
  }
}
