import { ContentNode } from "./contentNode.js";

const MIN_BUCKETS = 64;

/**
 * The contents of a cache as a tree of prompt paths, with one root per adapter. All edges are in one chained hash
 * table, since most nodes have one child or none; removed nodes are used again.
 */
export class ContentTree {
  readonly #blockSize: number;
  readonly #roots = new Map<string, ContentNode>();
  readonly #baseRoot = new ContentNode(0);
  #buckets = new Array<ContentNode | null>(MIN_BUCKETS).fill(null);
  #numNodes = 0;
  /** Nodes to use again, a list by `nextInBucket`. */
  #removed: ContentNode | null = null;
  #numObjects = 1;

  constructor(blockSize: number) {
    this.#blockSize = blockSize;
  }

  /** Nodes below the roots. */
  get numNodes(): number {
    return this.#numNodes;
  }

  root(adapter: string | null): ContentNode {
    if (adapter === null) return this.#baseRoot;
    let root = this.#roots.get(adapter);
    if (root === undefined) {
      root = new ContentNode(this.#numObjects++);
      this.#roots.set(adapter, root);
    }
    return root;
  }

  /** The child where a content begins after so many tokens of its parent's, null when there is none. */
  find(parent: ContentNode, numParentTokens: number, contentId: number): ContentNode | null {
    if (parent.numChildren === 0) return null;
    const hash = hashOfEdge(parent.id, numParentTokens, contentId);
    let node = this.#buckets[hash & (this.#buckets.length - 1)] as ContentNode | null;
    while (
      node !== null &&
      (node.contentId !== contentId || node.parent !== parent || node.numParentTokens !== numParentTokens)
    ) {
      node = node.nextInBucket;
    }
    return node;
  }

  /** Pre-condition: `find` gives null. */
  add(parent: ContentNode, numParentTokens: number, contentId: number): ContentNode {
    if (this.#numNodes === this.#buckets.length) this.#growTable();
    let node = this.#removed;
    if (node === null) node = new ContentNode(this.#numObjects++);
    else this.#removed = node.nextInBucket;
    node.parent = parent;
    node.numParentTokens = numParentTokens;
    node.contentId = contentId;
    node.segmentIndex = parent.segmentIndex + 1;
    node.edgeHash = hashOfEdge(parent.id, numParentTokens, contentId);
    node.startToken = parent.startToken + numParentTokens;
    node.firstBlock = Math.floor(node.startToken / this.#blockSize);
    node.endBlock = node.firstBlock;
    parent.numChildren++;
    this.#numNodes++;
    this.#putInBucket(node);
    return node;
  }

  /** Removes a node without blocks, children and parked members, and those above it that have none then. */
  prune(node: ContentNode): void {
    let candidate = node;
    while (candidate.lastColumn === null && candidate.numChildren === 0 && candidate.firstParked === null) {
      const parent = candidate.parent;
      if (parent === null) return;
      this.#takeFromBucket(candidate);
      this.#numNodes--;
      candidate.parent = null;
      candidate.generation++;
      candidate.nextInBucket = this.#removed;
      this.#removed = candidate;
      parent.numChildren--;
      candidate = parent;
    }
  }

  #putInBucket(node: ContentNode): void {
    const bucket = node.edgeHash & (this.#buckets.length - 1);
    node.nextInBucket = this.#buckets[bucket] as ContentNode | null;
    this.#buckets[bucket] = node;
  }

  #takeFromBucket(node: ContentNode): void {
    const bucket = node.edgeHash & (this.#buckets.length - 1);
    const first = this.#buckets[bucket] as ContentNode | null;
    if (first === node) {
      this.#buckets[bucket] = node.nextInBucket;
    } else {
      let previous = first as ContentNode;
      while (previous.nextInBucket !== node) previous = previous.nextInBucket!;
      previous.nextInBucket = node.nextInBucket;
    }
  }

  #growTable(): void {
    const old = this.#buckets;
    this.#buckets = new Array<ContentNode | null>(2 * old.length).fill(null);
    for (let bucket = 0; bucket < old.length; bucket++) {
      let node = old[bucket] as ContentNode | null;
      while (node !== null) {
        const next = node.nextInBucket;
        this.#putInBucket(node);
        node = next;
      }
    }
  }
}

/** Mixes the three with MurmurHash3-like rounds; 32 bits. */
function hashOfEdge(parentId: number, numParentTokens: number, contentId: number): number {
  let hash = Math.imul(parentId, 0x9e3779b1) ^ Math.imul(contentId | 0, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) ^ Math.imul(numParentTokens, 0xc2b2ae35);
  if (contentId > 0xffffffff) hash ^= Math.imul(Math.floor(contentId / 0x100000000), 0x27d4eb2f);
  hash = Math.imul(hash ^ (hash >>> 13), 0x297a2d39);
  return hash ^ (hash >>> 15);
}
