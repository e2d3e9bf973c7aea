import type { ContentNode } from "./contentNode.js";
import type { ContentTree } from "./contentTree.js";
import { Extent } from "./extent.js";
import type { ExtentCounts } from "./extentCounts.js";
import { FreeExtentQueue } from "./freeExtentQueue.js";
import type { Holding } from "./holding.js";

/**
 * The GPU's KV blocks as extents: who holds them, which are free in which order, and what they contain.
 * Costs grow with extents, not with blocks.
 */
export class ExtentStore {
  readonly #tree: ContentTree;
  readonly #counts: ExtentCounts;
  readonly #free = new FreeExtentQueue();
  /** Extents to use again, a list by `nextFree`. */
  #unused: Extent | null = null;

  constructor(numUsableBlocks: number, tree: ContentTree, counts: ExtentCounts) {
    this.#tree = tree;
    this.#counts = counts;
    this.releaseBlank(numUsableBlocks);
  }

  get numFreeBlocks(): number {
    return this.#free.numBlocks;
  }

  /** Takes the blocks that are next to be reused, and forgets their contents; pre-condition: so many are free. */
  allocate(numBlocks: number): void {
    let numMissing = numBlocks;
    while (numMissing > 0) {
      const extent = this.#free.front;
      const numInExtent = extent.endBlock - extent.firstBlock;
      const numTaken = Math.min(numMissing, numInExtent);
      if (numTaken < numInExtent) this.#shrinkFree(extent, numTaken);
      else this.#dropFree(extent);
      numMissing -= numTaken;
    }
  }

  /** Gives back blocks without contents; of a sequence before its others, which precede them. */
  releaseBlank(numBlocks: number): void {
    if (numBlocks === 0) return;
    const back = this.#free.back;
    if (back.node !== null || back.endBlock === 0) {
      this.#free.pushBack(this.#newExtent(null, 0, numBlocks));
      return;
    }
    back.endBlock += numBlocks;
    this.#free.resize(numBlocks);
  }

  /** Gives back every registered block of a sequence, the last first. */
  releaseChain(holding: Holding): void {
    let extent = holding.top;
    let seamIndex = 0;
    while (extent !== null) {
      let next = extent.lower;
      if (extent.firstBlock === 0) {
        next = null;
      } else if (seamIndex < holding.numSeams && holding.seams[seamIndex]!.endBlock === extent.firstBlock) {
        next = holding.seams[seamIndex++]!;
      }
      this.#release(extent);
      extent = next;
    }
    holding.top = null;
    holding.numSeams = 0;
  }

  /**
   * Free blocks among the first copies of the first `numBlocks` blocks of a path. Pre-condition: they are present.
   * @param node on the path, where the last of them is or below
   */
  numFreeInPrefix(node: ContentNode, numBlocks: number): number {
    let numFree = 0;
    let end = numBlocks;
    for (let owner: ContentNode | null = node; owner !== null && end > 0; owner = owner.parent) {
      if (owner.firstBlock >= end) continue;
      for (let head = columnOf(owner, end - 1); head !== null; head = head.lowerColumn) {
        if (head.numHolders === 0) numFree += Math.min(head.endBlock, end) - head.firstBlock;
      }
      end = owner.firstBlock;
    }
    return numFree;
  }

  /**
   * Adds the sequence to the holders of the first copies of the first `numBlocks` blocks of a path, from the last
   * down. Pre-condition: they are present, and it holds nothing.
   * @param node on the path, where the last of them is or below
   */
  holdPrefix(holding: Holding, node: ContentNode, numBlocks: number): void {
    let end = numBlocks;
    let above: Extent | null = null;
    for (let owner: ContentNode | null = node; owner !== null && end > 0; owner = owner.parent) {
      if (owner.firstBlock >= end) continue;
      let head = columnOf(owner, end - 1);
      if (head !== null && head.endBlock > end) head = this.#cut(head, end);
      for (; head !== null; head = head.lowerColumn) {
        if (head.numHolders === 0) this.#free.remove(head);
        head.numHolders++;
        if (above === null) {
          holding.top = head;
        } else if (above.lower !== head) {
          holding.addSeam(head);
          this.#counts.numSeams++;
        }
        above = head;
      }
      end = owner.firstBlock;
    }
  }

  /**
   * Registers blocks of a sequence that follow its top: as copies where the node has them, as new ones after these.
   * Pre-condition: the block before is the sequence's or another node's.
   */
  register(holding: Holding, node: ContentNode, firstBlock: number, endBlock: number): void {
    const firstNew = firstBlock < node.endBlock ? this.#addCopies(holding, node, firstBlock, endBlock) : firstBlock;
    if (firstNew === endBlock) return;
    const top = holding.top;
    if (
      top !== null &&
      top.node === node &&
      top.endBlock === firstNew &&
      top.numHolders === 1 &&
      top.previousCopy === top
    ) {
      top.endBlock = endBlock;
    } else {
      const head = this.#addToChain(holding, node, firstNew, endBlock);
      const below = node.lastColumn;
      head.lowerColumn = below;
      if (below !== null) below.upperColumn = head;
      node.lastColumn = head;
    }
    node.endBlock = endBlock;
  }

  /** @returns the first block without another copy, `endBlock` when there is none */
  #addCopies(holding: Holding, node: ContentNode, firstBlock: number, endBlock: number): number {
    let block = firstBlock;
    let head = columnOf(node, firstBlock);
    if (head !== null && head.firstBlock < firstBlock) this.#cut(head, firstBlock);
    while (head !== null && block < endBlock) {
      if (head.endBlock > endBlock) head = this.#cut(head, endBlock);
      const copy = this.#addToChain(holding, node, block, head.endBlock);
      const last = head.previousCopy;
      last.nextCopy = copy;
      copy.previousCopy = last;
      head.previousCopy = copy;
      this.#counts.numCopies++;
      block = head.endBlock;
      head = head.upperColumn;
    }
    return block;
  }

  #addToChain(holding: Holding, node: ContentNode, firstBlock: number, endBlock: number): Extent {
    const extent = this.#newExtent(node, firstBlock, endBlock);
    extent.numHolders = 1;
    extent.lower = holding.top;
    holding.top = extent;
    return extent;
  }

  /** Cuts a column in two at a block inside it. @returns the head of the new lower part */
  #cut(head: Extent, block: number): Extent {
    this.#counts.numCuts++;
    const lowerHead = this.#cutExtent(head, block);
    let last = lowerHead;
    for (let copy = head.nextCopy; copy !== null; copy = copy.nextCopy) {
      const lower = this.#cutExtent(copy, block);
      last.nextCopy = lower;
      lower.previousCopy = last;
      last = lower;
    }
    lowerHead.previousCopy = last;
    const below = head.lowerColumn;
    lowerHead.lowerColumn = below;
    lowerHead.upperColumn = head;
    head.lowerColumn = lowerHead;
    if (below !== null) below.upperColumn = lowerHead;
    return lowerHead;
  }

  #cutExtent(extent: Extent, block: number): Extent {
    const lower = this.#newExtent(extent.node, extent.firstBlock, block);
    lower.numHolders = extent.numHolders;
    lower.lower = extent.lower;
    extent.lower = lower;
    extent.firstBlock = block;
    if (lower.numHolders === 0) this.#free.insertCut(lower, extent);
    return lower;
  }

  #release(extent: Extent): void {
    if (--extent.numHolders > 0) return;
    const back = this.#free.back;
    if (back.firstBlock !== extent.endBlock || back.node !== extent.node || !isAlone(back) || !isAlone(extent)) {
      this.#free.pushBack(extent);
      return;
    }
    this.#counts.numMerges++;
    back.firstBlock = extent.firstBlock;
    back.lower = extent.lower;
    const below = extent.lowerColumn;
    back.lowerColumn = below;
    if (below !== null) below.upperColumn = back;
    this.#free.resize(extent.endBlock - extent.firstBlock);
    extent.nextFree = this.#unused;
    this.#unused = extent;
  }

  /** Reuses the last blocks of a free extent, not all. */
  #shrinkFree(extent: Extent, numBlocks: number): void {
    const endBlock = extent.endBlock - numBlocks;
    const node = extent.node;
    if (node !== null) {
      this.#counts.numPartialEvictions++;
      if (!isAlone(extent)) {
        this.#cut(headOf(extent), endBlock);
        this.#dropFree(extent);
        return;
      }
      node.endBlock = endBlock;
    }
    extent.endBlock = endBlock;
    this.#free.resize(-numBlocks);
  }

  /** Reuses all blocks of a free extent. */
  #dropFree(extent: Extent): void {
    this.#free.remove(extent);
    const node = extent.node;
    if (node !== null) {
      if (isAlone(extent)) {
        // No block outlives the one before it: this is the last column.
        const below = extent.lowerColumn;
        if (below !== null) below.upperColumn = null;
        node.lastColumn = below;
        node.endBlock = extent.firstBlock;
        if (below === null) this.#tree.prune(node);
      } else {
        this.#counts.numCopyEvictions++;
        removeCopy(extent, node);
      }
    }
    extent.nextFree = this.#unused;
    this.#unused = extent;
  }

  #newExtent(node: ContentNode | null, firstBlock: number, endBlock: number): Extent {
    let extent = this.#unused;
    if (extent === null) extent = new Extent();
    else this.#unused = extent.nextFree;
    extent.node = node;
    extent.firstBlock = firstBlock;
    extent.endBlock = endBlock;
    extent.numHolders = 0;
    extent.lower = null;
    extent.lowerColumn = null;
    extent.upperColumn = null;
    extent.previousCopy = extent;
    extent.nextCopy = null;
    return extent;
  }
}

/** The head of the column that has a block of a node, null when the block is not present. */
function columnOf(node: ContentNode, block: number): Extent | null {
  let head = node.lastColumn;
  while (head !== null && head.firstBlock > block) head = head.lowerColumn;
  return head;
}

function isAlone(extent: Extent): boolean {
  return extent.previousCopy === extent;
}

function headOf(extent: Extent): Extent {
  let head = extent;
  while (head.previousCopy.nextCopy !== null) head = head.previousCopy;
  return head;
}

/** Takes one of several copies out of its column. */
function removeCopy(extent: Extent, node: ContentNode): void {
  const previous = extent.previousCopy;
  const next = extent.nextCopy;
  if (previous.nextCopy !== null) {
    if (next === null) headOf(extent).previousCopy = previous;
    else next.previousCopy = previous;
    previous.nextCopy = next;
    return;
  }
  // It was the head, and with several copies there is a next one to take its place.
  const head = next!;
  head.previousCopy = previous;
  head.lowerColumn = extent.lowerColumn;
  head.upperColumn = extent.upperColumn;
  if (head.lowerColumn !== null) head.lowerColumn.upperColumn = head;
  if (head.upperColumn !== null) head.upperColumn.lowerColumn = head;
  else node.lastColumn = head;
}
