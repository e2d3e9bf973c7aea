import type { KvSequence } from "../request/kvSequence.js";
import type { ContentNode } from "./contentNode.js";
import type { ContentTree } from "./contentTree.js";
import type { ExtentCounts } from "./extentCounts.js";
import type { ExtentStore } from "./extentStore.js";
import type { Holding } from "./holding.js";
import type { Lockstep } from "./lockstep.js";

/** Tokens of an output, which has no end: more than any prompt, and a small integer with any start added. */
const ENDLESS_TOKENS = 0x3fffffff;

/**
 * The ways of sequences through the tree: lookups, registration, and where members of the lockstep stand.
 *
 * A member registers nothing while it advances. It is parked on the deepest node of its path that there is, its open
 * end: whoever wants more of that node than is present, adds to it, or looks for a child that is not there, lets all
 * who are parked there catch up first. Nobody can meet blocks that a member should have registered without this,
 * because they would stand on the node where it is parked or below, where its path has no node yet.
 */
export class PromptPaths {
  readonly #blockSize: number;
  readonly #tree: ContentTree;
  readonly #store: ExtentStore;
  readonly #lockstep: Lockstep;
  readonly #counts: ExtentCounts;

  constructor(blockSize: number, tree: ContentTree, store: ExtentStore, lockstep: Lockstep, counts: ExtentCounts) {
    this.#blockSize = blockSize;
    this.#tree = tree;
    this.#store = store;
    this.#lockstep = lockstep;
    this.#counts = counts;
  }

  /**
   * Leading blocks of a path that are present, at most `maxHits`; notes where it ended. O(segments), O(1) when asked
   * again while the last hit stays.
   */
  findHits(holding: Holding, maxHits: number): number {
    const sequence = holding.sequence!;
    let hitNode = this.#resumedAt(holding);
    let node = hitNode ?? this.#tree.root(sequence.adapter);
    let numHits = 0;
    for (;;) {
      const numTokens = numTokensOf(sequence, node);
      const ownEnd = Math.floor((node.startToken + numTokens) / this.#blockSize);
      const numWanted = Math.min(ownEnd, maxHits);
      if (numWanted > node.endBlock && node.firstParked !== null) this.settle(node);
      numHits = Math.min(numWanted, node.endBlock);
      if (numHits > node.firstBlock) hitNode = node;
      if (numHits < numWanted || numHits === maxHits) break;
      const child = this.#findChild(sequence, node, numTokens);
      if (child === null) break;
      node = child;
    }
    holding.hitNode = hitNode;
    if (hitNode !== null) holding.hitGeneration = hitNode.generation;
    return numHits;
  }

  /** The node where the last lookup ended if it is there still: then so are all blocks above it. */
  #resumedAt(holding: Holding): ContentNode | null {
    const node = holding.hitNode;
    if (node === null || node.generation !== holding.hitGeneration) return null;
    this.#counts.numResumedLookups++;
    return node;
  }

  #findChild(sequence: KvSequence, node: ContentNode, numTokens: number): ContentNode | null {
    const contentId = contentIdAt(sequence, node.segmentIndex + 1);
    const child = this.#tree.find(node, numTokens, contentId);
    if (child !== null || node.firstParked === null) return child;
    this.settle(node);
    return this.#tree.find(node, numTokens, contentId);
  }

  /** Makes the first `numTokens` tokens' full blocks findable; those of `numRegisteredBlocks` are. */
  register(holding: Holding, numTokens: number): void {
    const sequence = holding.sequence!;
    const numBlocks = Math.floor(numTokens / this.#blockSize);
    let block = sequence.numRegisteredBlocks;
    if (numBlocks <= block) return;
    let node = this.#nodeOf(holding);
    for (;;) {
      const numNodeTokens = numTokensOf(sequence, node);
      const ownEnd = Math.min(numBlocks, Math.floor((node.startToken + numNodeTokens) / this.#blockSize));
      if (ownEnd > block) {
        if (node.firstParked !== null) this.settle(node);
        this.#store.register(holding, node, block, ownEnd);
        block = ownEnd;
        if (block === numBlocks) break;
      }
      node = this.#childFor(sequence, node, numNodeTokens);
    }
    sequence.numRegisteredBlocks = numBlocks;
  }

  /** Parks a new member, registering what is known of it; pre-condition: it has joined the lockstep. */
  park(member: Holding): void {
    const sequence = member.sequence!;
    const numKnownTokens = this.#lockstep.numKnownTokens(member);
    this.register(member, numKnownTokens);
    let node = this.#nodeOf(member);
    // At least one token deep: every lookup passes the root.
    const minEnd = Math.max(1, numKnownTokens);
    for (;;) {
      const numTokens = numTokensOf(sequence, node);
      if (numTokens === ENDLESS_TOKENS) break;
      if (node.startToken + numTokens < minEnd) {
        node = this.#childFor(sequence, node, numTokens);
        continue;
      }
      const child = this.#tree.find(node, numTokens, contentIdAt(sequence, node.segmentIndex + 1));
      if (child === null) break;
      node = child;
    }
    this.#putAt(node, member);
  }

  /** Takes a member from its place, with everything registered that is known; it is in the lockstep still. */
  unpark(member: Holding): void {
    const hasCompany = member.previousParked !== null || member.nextParked !== null;
    if (hasCompany) this.settle(member.parkedOn!);
    const node = member.parkedOn!;
    const { previousParked, nextParked } = member;
    if (previousParked === null) node.firstParked = nextParked;
    else previousParked.nextParked = nextParked;
    if (nextParked !== null) nextParked.previousParked = previousParked;
    member.parkedOn = null;
    member.previousParked = null;
    member.nextParked = null;
    if (!hasCompany) this.register(member, this.#lockstep.numKnownTokens(member));
    this.#tree.prune(node);
  }

  /** Lets the members parked on a node register what is known of them and go where they are now. */
  settle(node: ContentNode): void {
    let member = node.firstParked;
    node.firstParked = null;
    while (member !== null) {
      const next: Holding | null = member.nextParked;
      this.#counts.numSettlements++;
      this.park(member);
      member = next;
    }
  }

  /**
   * Who is farther registers first, then who joined first: the order in which members with equal tokens would have
   * registered them one by one.
   */
  #putAt(node: ContentNode, member: Holding): void {
    let previous: Holding | null = null;
    let next = node.firstParked;
    while (next !== null && isBefore(next, member)) {
      previous = next;
      next = next.nextParked;
    }
    member.parkedOn = node;
    member.previousParked = previous;
    member.nextParked = next;
    if (previous === null) node.firstParked = member;
    else previous.nextParked = member;
    if (next !== null) next.previousParked = member;
  }

  /** The next node of a path, made if it is not there. */
  #childFor(sequence: KvSequence, node: ContentNode, numTokens: number): ContentNode {
    const contentId = contentIdAt(sequence, node.segmentIndex + 1);
    const found = this.#tree.find(node, numTokens, contentId);
    if (found !== null) return found;
    const child = this.#tree.add(node, numTokens, contentId);
    // Whose path it is too must not stay parked above it.
    if (node.firstParked !== null) this.settle(node);
    return child;
  }

  /** The node of the last registered block, the root when there is none. */
  #nodeOf(holding: Holding): ContentNode {
    return holding.top === null ? this.#tree.root(holding.sequence!.adapter) : holding.top.node!;
  }
}

/** Tokens that a path has of a node on it. */
function numTokensOf(sequence: KvSequence, node: ContentNode): number {
  const index = node.segmentIndex;
  if (index < 0) return 0;
  const segments = sequence.promptSegments;
  return index < segments.length ? segments[index]!.numTokens : ENDLESS_TOKENS;
}

/** Content of a segment, of the output after the last. */
function contentIdAt(sequence: KvSequence, segmentIndex: number): number {
  const segments = sequence.promptSegments;
  return segmentIndex < segments.length ? segments[segmentIndex]!.contentId : sequence.outputContentId;
}

function isBefore(a: Holding, b: Holding): boolean {
  return a.numTokensAhead > b.numTokensAhead || (a.numTokensAhead === b.numTokensAhead && a.joinNumber < b.joinNumber);
}
