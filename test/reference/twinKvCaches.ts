import { ExtentKvCache } from "../../src/core/kv/extentKvCache.js";
import type { KvCache, KvCacheConfig } from "../../src/core/kv/kvCache.js";
import { KvSequence } from "../../src/core/request/kvSequence.js";
import type { TokenSegment } from "../../src/core/request/requestSpec.js";
import { BlockPool } from "./blockKv/blockPool.js";
import { KvCacheManager } from "./blockKv/kvCacheManager.js";

export interface TwinSetup extends KvCacheConfig {
  readonly numUsableBlocks: number;
}

/** A sequence in both caches, with what a scheduler would know of it. */
export class Twin {
  readonly name: string;
  readonly segments: readonly TokenSegment[];
  readonly outputContentId: number;
  readonly adapter: string | null;
  readonly numPromptTokens: number;
  readonly fast: KvSequence;
  readonly slow: KvSequence;
  state: "waiting" | "resident" | "lockstep" = "waiting";
  numComputedTokens = 0;
  numKnownTokens: number;

  constructor(name: string, segments: readonly TokenSegment[], outputContentId: number, adapter: string | null) {
    this.name = name;
    this.segments = segments;
    this.outputContentId = outputContentId;
    this.adapter = adapter;
    this.numPromptTokens = segments.reduce((sum, segment) => sum + segment.numTokens, 0);
    this.numKnownTokens = this.numPromptTokens;
    this.fast = new KvSequence(segments, outputContentId, adapter);
    this.slow = new KvSequence(segments, outputContentId, adapter);
  }
}

/**
 * The cache of extents and the one of blocks, given the same calls. Every answer and every count of free blocks is
 * compared; a difference throws, with the calls up to it.
 */
export class TwinKvCaches {
  readonly fast: ExtentKvCache;
  readonly slow: KvCacheManager;
  readonly blockSize: number;
  numHits = 0;
  numShortages = 0;
  readonly #calls: string[] = [];

  constructor(setup: TwinSetup) {
    this.blockSize = setup.blockSize;
    this.fast = new ExtentKvCache(setup.numUsableBlocks, setup);
    this.slow = new KvCacheManager(new BlockPool(setup.numUsableBlocks + 1), { ...setup, slidingWindow: 0 });
  }

  lookUp(twin: Twin, numTokens: number, dropsLastBlock: boolean): number {
    return this.#both(`${twin.name}.findHits(${numTokens}, ${dropsLastBlock})`, (kv, of) =>
      kv.findHits(of(twin), numTokens, dropsLastBlock),
    );
  }

  /** Looks up and admits; a waiting twin has no blocks. */
  admit(twin: Twin, numWanted: number, dropsLastBlock: boolean, numBlocksToLeave: number): void {
    const numTokens = twin.numKnownTokens;
    const numHits = this.lookUp(twin, numTokens, dropsLastBlock);
    const numNewTokens = Math.min(numWanted, numTokens - numHits * this.blockSize);
    const isGranted = this.#both(
      `${twin.name}.admit(${numHits}, ${numNewTokens}, ${numTokens}, ${numBlocksToLeave})`,
      (kv, of) => kv.admit(of(twin), numHits, numNewTokens, numTokens, numBlocksToLeave),
    );
    if (!isGranted) {
      this.numShortages++;
      return;
    }
    this.numHits += numHits;
    twin.state = "resident";
    twin.numComputedTokens = numHits * this.blockSize + numNewTokens;
  }

  grow(twin: Twin, numNewTokens: number, numLookahead: number): void {
    const { numComputedTokens, numKnownTokens } = twin;
    const numSlots = numComputedTokens + numNewTokens + numLookahead;
    this.#both(`${twin.name}.numBlocksToGrow(${numSlots})`, (kv, of) => kv.numBlocksToGrow(of(twin), numSlots));
    const isGranted = this.#both(
      `${twin.name}.grow(${numComputedTokens}, ${numNewTokens}, ${numLookahead}, ${numKnownTokens})`,
      (kv, of) => kv.grow(of(twin), numComputedTokens, numNewTokens, numLookahead, numKnownTokens),
    );
    if (!isGranted) {
      this.numShortages++;
      return;
    }
    twin.numComputedTokens += numNewTokens;
    twin.numKnownTokens = Math.max(numKnownTokens, twin.numComputedTokens);
  }

  register(twin: Twin, numTokens: number): void {
    this.#both(`${twin.name}.register(${numTokens})`, (kv, of) => kv.register(of(twin), numTokens));
  }

  free(twin: Twin): void {
    if (twin.state === "lockstep") this.leave(twin);
    this.#both(`${twin.name}.free()`, (kv, of) => kv.free(of(twin)));
    twin.state = "waiting";
    twin.numComputedTokens = 0;
  }

  /** @returns whether it may join: its prompt is computed, and it holds no slots for drafts */
  canJoin({ state, slow, numComputedTokens, numPromptTokens }: Twin): boolean {
    const isPromptKnown = slow.numRegisteredBlocks >= Math.floor(numPromptTokens / this.blockSize);
    return (
      state === "resident" &&
      numComputedTokens >= numPromptTokens &&
      (isPromptKnown || !this.slow.config.enablePrefixCaching) &&
      slow.numBlocks === Math.ceil(numComputedTokens / this.blockSize)
    );
  }

  join(twin: Twin): void {
    const { numComputedTokens } = twin;
    this.#both(`${twin.name}.joinLockstep(${numComputedTokens})`, (kv, of) =>
      kv.joinLockstep(of(twin), numComputedTokens),
    );
    twin.state = "lockstep";
  }

  leave(twin: Twin): void {
    this.#both(`${twin.name}.leaveLockstep()`, (kv, of) => kv.leaveLockstep(of(twin)));
    this.#both(`${twin.name}.numBlocks`, (_, of) => of(twin).numBlocks);
    this.#both(`${twin.name}.numRegisteredBlocks`, (_, of) => of(twin).numRegisteredBlocks);
    twin.state = "resident";
    twin.numKnownTokens = Math.max(twin.numKnownTokens, twin.numComputedTokens - this.slow.lockstepLag);
  }

  advance(members: readonly Twin[]): void {
    const isGranted = this.#both("advanceLockstep()", (kv) => kv.advanceLockstep());
    if (!isGranted) this.numShortages++;
    else for (const member of members) member.numComputedTokens++;
  }

  setLag(numTokens: number): void {
    this.#both(`lockstepLag = ${numTokens}`, (kv) => {
      kv.lockstepLag = numTokens;
    });
  }

  /** Fails with the calls so far unless a law holds. */
  require(isSo: boolean, law: string): void {
    if (!isSo) throw new Error(`${law}\n${this.#calls.join("\n")}`);
  }

  #both<T>(call: string, run: (kv: KvCache, of: (twin: Twin) => KvSequence) => T): T {
    this.#calls.push(call);
    const slow = run(this.slow, (twin) => twin.slow);
    const fast = run(this.fast, (twin) => twin.fast);
    this.#calls.push(`  = ${slow}, ${this.slow.numFreeBlocks} free`);
    if (fast !== slow) this.require(false, `the answer is ${fast}, not ${slow}`);
    const { numFreeBlocks, numLockstepBlocks } = this.fast;
    if (numFreeBlocks !== this.slow.numFreeBlocks) this.require(false, `${numFreeBlocks} free blocks`);
    if (numLockstepBlocks !== this.slow.numLockstepBlocks) this.require(false, `${numLockstepBlocks} lockstep blocks`);
    return slow;
  }
}
