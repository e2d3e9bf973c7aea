import type { Extent } from "./extent.js";
import type { Holding } from "./holding.js";

/**
 * A content at one place of one path: its tokens from `startToken` of a prompt on, after exactly the tokens of the
 * nodes above. A block belongs to the node of its last token, so that (node, block index) says which tokens the block
 * holds and all tokens before it.
 *
 * Of the blocks of a path those that are present come first: a sequence registers its blocks in order while it holds
 * all of them, and releases the last first, so that no block is evicted while its successor is there. A node goes with
 * its last block, child and parked member: while it is there, so are all blocks above it.
 */
export class ContentNode {
  /** Number of this object among the nodes of its tree. */
  readonly id: number;
  /** Grows when the object becomes another node. */
  generation = 0;

  /** Null for the root of an adapter, which has no tokens. */
  parent: ContentNode | null = null;
  /** Tokens of the parent's content before this one begins. */
  numParentTokens = 0;
  contentId = 0;
  /** Segments above it: its index in the prompts that have it, their number when it is the output; −1 for a root. */
  segmentIndex = -1;
  startToken = 0;

  /** First block whose last token it could have. */
  firstBlock = 0;
  /** Its blocks `[firstBlock, endBlock)` are present. */
  endBlock = 0;
  /** The column that ends at `endBlock`, null when no block is present. */
  lastColumn: Extent | null = null;
  numChildren = 0;
  /** Members of the lockstep whose path leaves the tree here, see `OpenEnds`. */
  firstParked: Holding | null = null;

  /** Of the edge from its parent, and the next node in the same bucket of the tree's table. */
  edgeHash = 0;
  nextInBucket: ContentNode | null = null;

  constructor(id: number) {
    this.id = id;
  }
}
