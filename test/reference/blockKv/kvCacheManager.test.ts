import { describe, expect, it } from "vitest";
import { KvSequence } from "../../../src/core/request/kvSequence.js";
import { BlockPool } from "./blockPool.js";
import { BlockTable } from "./blockTable.js";
import { type BlockKvConfig, KvCacheManager } from "./kvCacheManager.js";

function cache(numUsableBlocks: number, fields: Partial<BlockKvConfig> = {}): KvCacheManager {
  const config = { blockSize: 4, enablePrefixCaching: true, slidingWindow: 0, ...fields };
  return new KvCacheManager(new BlockPool(numUsableBlocks + 1), config);
}

function sequence(contentId: number, numTokens: number): KvSequence {
  return new KvSequence([{ contentId, numTokens }], 1000 + contentId, null);
}

function table(seq: KvSequence): number[] {
  return BlockTable.of(seq).toArray();
}

describe("KvCacheManager", () => {
  it("changes nothing on a shortage", () => {
    const kv = cache(3);
    const a = sequence(1, 8);
    expect(kv.admit(a, 0, 8, 8, 0)).toBe(true);
    const b = sequence(2, 8);
    expect(kv.admit(b, 0, 8, 8, 0)).toBe(false);
    expect(kv.grow(a, 8, 5, 0, 8)).toBe(false);
    expect(table(a)).toEqual([1, 2]);
    expect(b.numBlocks).toBe(0);
    expect(kv.pool.numFreeBlocks).toBe(1);
    expect(kv.pool.usageFraction).toBeCloseTo(2 / 3, 12);
  });

  it("shares blocks in use without taking free ones", () => {
    const kv = cache(4);
    const a = sequence(1, 12);
    kv.admit(a, 0, 12, 12, 0);
    const b = sequence(1, 12);
    expect(kv.admit(b, kv.findHits(b, 12, false), 4, 12, 0)).toBe(true);
    expect(table(b)).toEqual([1, 2, 4]);
    kv.free(a);
    expect(kv.pool.numFreeBlocks).toBe(1);
    kv.free(b);
    expect(kv.pool.numFreeBlocks).toBe(4);
  });

  it("gives up blocks behind a sliding window and needs only those inside for a hit", () => {
    const kv = cache(16, { slidingWindow: 8 });
    const a = sequence(1, 20);
    kv.admit(a, 0, 20, 20, 0);
    kv.grow(a, 20, 1, 0, 21);
    expect(table(a)).toEqual([0, 0, 0, 4, 5, 6]);
    expect(kv.pool.numFreeBlocks).toBe(13);
    const b = sequence(1, 24);
    const numHits = kv.findHits(b, 24, false);
    expect(numHits).toBe(5);
    kv.admit(b, numHits, 4, 24, 0);
    expect(table(b)).toEqual([0, 0, 0, 4, 5, 7]);
  });

  it("bounds what a sequence can hold by its window", () => {
    expect(cache(9).maxBlocksHeld(33, 8)).toBe(9);
    const windowed = cache(9, { slidingWindow: 9 });
    expect(windowed.maxBlocksHeld(1000, 8)).toBe(5);
    expect(windowed.maxBlocksHeld(8, 8)).toBe(2);
  });
});
