import type { ContentNode } from "./contentNode.js";

/**
 * Blocks that share a fate: consecutive blocks `[firstBlock, endBlock)` of one content, one copy of each, all held by
 * the same sequences or all free and next to each other in the free queue, the last of them to be reused first.
 *
 * Copies of the same blocks (sequences that computed the same tokens at once each have their own) are always cut at
 * the same places: they form a column, in order of registration. The first is its head, which lookups find. An extent
 * that is cut stays the upper part, so that whoever refers to its last block still does.
 */
export class Extent {
  /** Null for blank blocks, which have no contents to find: only how many they are counts. */
  node: ContentNode | null = null;
  firstBlock = 0;
  endBlock = 0;
  /** Sequences that hold it; 0 = free. */
  numHolders = 0;

  /**
   * The extent below it of the sequence that registered it. Whoever follows the link must hold both: after the lower
   * one was evicted, it leads to an object that is anything by now.
   */
  lower: Extent | null = null;

  /** Neighbour columns of the node; of heads only. */
  lowerColumn: Extent | null = null;
  upperColumn: Extent | null = null;
  /** Copies in order of registration; before the head comes the last, after the last none. */
  previousCopy: Extent = this;
  nextCopy: Extent | null = null;

  /** Neighbours in the free queue; of free extents only. */
  previousFree: Extent | null = null;
  nextFree: Extent | null = null;
}
