import type { KvSequence } from "../request/kvSequence.js";
import type { ContentNode } from "./contentNode.js";
import type { Extent } from "./extent.js";

/**
 * What the cache keeps with a sequence. Its registered blocks are a chain of extents from `top` down: the next is the
 * extent's `lower` one, except at a seam, where hits go over from one sequence's blocks to another's.
 */
export class Holding {
  sequence: KvSequence | null = null;
  /** Extent of its last registered block, null when there is none. */
  top: Extent | null = null;
  /** `[numSeams]`, the highest first: extents below which the chain goes on in place of a `lower` one. */
  readonly seams: Extent[] = [];
  numSeams = 0;

  /** Deepest node of its path with a hit at the last lookup, null when there was none; void in another generation. */
  hitNode: ContentNode | null = null;
  hitGeneration = 0;

  /** Of a member of the lockstep: its slot tokens less the advances so far, the same until it leaves. */
  numTokensAhead = 0;
  /** Joining order, of members. */
  joinNumber = 0;
  /** Slot tokens modulo block size at a first advance that all members would have in common. */
  residue = 0;
  /** Neighbours among the members of the same residue. */
  previousMember: Holding | null = null;
  nextMember: Holding | null = null;
  /** Where it is parked, null when it is no member or prefix caching is off, and its neighbours there. */
  parkedOn: ContentNode | null = null;
  previousParked: Holding | null = null;
  nextParked: Holding | null = null;

  /** Goes on below a chain at an extent that is not the `lower` of the one above. */
  addSeam(extent: Extent): void {
    this.seams[this.numSeams++] = extent;
  }
}
