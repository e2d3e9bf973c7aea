import type { KvSequence } from "../../src/core/request/kvSequence.js";
import type { BlockKvConfig } from "./blockKv/kvCacheManager.js";

interface Contents {
  readonly identity: string;
  /** Order of registration. */
  readonly order: number;
}

/**
 * The rules of the KV cache written down plainly: arrays, and tokens compared as text instead of hashes. Slow on
 * purpose; what `KvCacheManager` does must equal this, block id for block id.
 */
export class NaiveKvCache {
  /** Free blocks, next to be reused first. */
  readonly free: number[] = [];
  /** Popped blocks that still had contents, in order. */
  readonly evicted: number[] = [];
  readonly #config: BlockKvConfig;
  readonly #numHolders = new Map<number, number>();
  readonly #contents = new Map<number, Contents>();
  readonly #tables = new Map<KvSequence, number[]>();
  readonly #numRegistered = new Map<KvSequence, number>();
  #nextOrder = 0;

  constructor(numGpuBlocks: number, config: BlockKvConfig) {
    this.#config = config;
    for (let blockId = 1; blockId < numGpuBlocks; blockId++) this.free.push(blockId);
  }

  blockTable(sequence: KvSequence): readonly number[] {
    return this.#tables.get(sequence) ?? [];
  }

  refCnt(blockId: number): number {
    return this.#numHolders.get(blockId) ?? 0;
  }

  /** The hit blocks, 0 where a window does not reach. */
  findHits(sequence: KvSequence, numTokens: number, dropsLastBlock: boolean): number[] {
    const { blockSize, enablePrefixCaching, slidingWindow } = this.#config;
    if (!enablePrefixCaching) return [];
    const maxHits = Math.floor((numTokens - 1) / blockSize);
    const found = Array.from({ length: maxHits }, (_, block) => this.#find(identityOf(sequence, block, blockSize)));
    const numDropped = dropsLastBlock ? 1 : 0;
    for (let numHits = maxHits; numHits > 0; numHits--) {
      const numReached =
        slidingWindow === 0 ? numHits : Math.max(1, Math.ceil((slidingWindow - 1) / blockSize) + numDropped);
      const reached = found.slice(Math.max(0, numHits - numReached), numHits);
      if (reached.includes(0)) continue;
      const unreached = new Array<number>(numHits - reached.length).fill(0);
      return [...unreached, ...reached].slice(0, numHits - numDropped);
    }
    return [];
  }

  admit(
    sequence: KvSequence,
    hits: readonly number[],
    numNewTokens: number,
    numTokens: number,
    numToLeave: number,
  ): boolean {
    const { blockSize } = this.#config;
    const numSlots = hits.length * blockSize + numNewTokens;
    const numNewBlocks = Math.ceil(numSlots / blockSize) - hits.length;
    const numRevived = hits.filter((blockId) => this.free.includes(blockId)).length;
    if (numNewBlocks + numRevived + numToLeave > this.free.length) return false;
    for (const blockId of hits) this.#hold(blockId);
    this.#tables.set(sequence, [...hits]);
    this.#numRegistered.set(sequence, hits.length);
    this.#append(sequence, numNewBlocks);
    this.register(sequence, Math.min(numSlots, numTokens));
    return true;
  }

  grow(
    sequence: KvSequence,
    numComputed: number,
    numNewTokens: number,
    numLookahead: number,
    numTokens: number,
  ): boolean {
    const { blockSize, slidingWindow } = this.#config;
    const table = this.#tables.get(sequence) ?? [];
    if (slidingWindow > 0) {
      const firstUsefulToken = numComputed - slidingWindow + 1;
      for (let block = table.length - 1; block >= 0; block--) {
        if ((block + 1) * blockSize > firstUsefulToken || table[block] === 0) continue;
        this.#release(table[block]!);
        table[block] = 0;
      }
    }
    const numNewBlocks = Math.max(0, Math.ceil((numComputed + numNewTokens + numLookahead) / blockSize) - table.length);
    if (numNewBlocks > this.free.length) return false;
    this.#append(sequence, numNewBlocks);
    this.register(sequence, Math.min(numComputed + numNewTokens, numTokens));
    return true;
  }

  register(sequence: KvSequence, numTokens: number): void {
    const { blockSize, enablePrefixCaching } = this.#config;
    if (!enablePrefixCaching) return;
    const table = this.#tables.get(sequence) ?? [];
    let block = this.#numRegistered.get(sequence) ?? 0;
    for (; (block + 1) * blockSize <= numTokens; block++) {
      const identity = identityOf(sequence, block, blockSize);
      if (table[block] !== 0) this.#contents.set(table[block]!, { identity, order: this.#nextOrder++ });
    }
    this.#numRegistered.set(sequence, block);
  }

  release(sequence: KvSequence): void {
    for (const blockId of this.blockTable(sequence).toReversed()) if (blockId !== 0) this.#release(blockId);
    this.#tables.delete(sequence);
    this.#numRegistered.delete(sequence);
  }

  #append(sequence: KvSequence, numBlocks: number): void {
    for (let i = 0; i < numBlocks; i++) {
      const blockId = this.free.shift()!;
      if (this.#contents.delete(blockId)) this.evicted.push(blockId);
      this.#numHolders.set(blockId, 1);
      this.#tables.get(sequence)!.push(blockId);
    }
  }

  #hold(blockId: number): void {
    if (blockId === 0) return;
    if (this.free.includes(blockId)) this.free.splice(this.free.indexOf(blockId), 1);
    this.#numHolders.set(blockId, this.refCnt(blockId) + 1);
  }

  #release(blockId: number): void {
    this.#numHolders.set(blockId, this.refCnt(blockId) - 1);
    if (this.refCnt(blockId) === 0) this.free.push(blockId);
  }

  #find(identity: string): number {
    let first = 0;
    let firstOrder = Number.POSITIVE_INFINITY;
    for (const [blockId, contents] of this.#contents) {
      if (contents.identity !== identity || contents.order > firstOrder) continue;
      first = blockId;
      firstOrder = contents.order;
    }
    return first;
  }
}

/** All tokens up to the end of a block, and the adapter, as text. */
function identityOf(sequence: KvSequence, block: number, blockSize: number): string {
  const tokens: string[] = [];
  for (const { contentId, numTokens } of sequence.promptSegments) {
    for (let i = 0; i < numTokens; i++) tokens.push(`${contentId}.${i}`);
  }
  for (let i = 0; tokens.length < (block + 1) * blockSize; i++) tokens.push(`${sequence.outputContentId}.${i}`);
  return `${sequence.adapter}|${tokens.slice(0, (block + 1) * blockSize).join(" ")}`;
}
