import { describe, expect, it } from "vitest";
import { ExtentKvCache } from "../../src/core/kv/extentKvCache.js";
import type { KvCache, KvCacheConfig } from "../../src/core/kv/kvCache.js";
import { KvSequence } from "../../src/core/request/kvSequence.js";
import { BlockPool } from "../reference/blockKv/blockPool.js";
import { KvCacheManager } from "../reference/blockKv/kvCacheManager.js";

const CACHES: readonly { name: string; create: (numUsableBlocks: number, config: KvCacheConfig) => KvCache }[] = [
  { name: "ExtentKvCache", create: (numUsableBlocks, config) => new ExtentKvCache(numUsableBlocks, config) },
  {
    name: "KvCacheManager (block by block)",
    create: (numUsableBlocks, config) =>
      new KvCacheManager(new BlockPool(numUsableBlocks + 1), { ...config, slidingWindow: 0 }),
  },
];

/** A sequence with a prompt of one content, whose output has the content 1000 higher. */
function sequence(contentId: number, numTokens: number, adapter: string | null = null): KvSequence {
  return new KvSequence([{ contentId, numTokens }], 1000 + contentId, adapter);
}

/** A prompt that repeats another's and part of its output, and asks one token more. */
function nextTurn(before: KvSequence, numOutputTokens: number): KvSequence {
  const { promptSegments, outputContentId } = before;
  const answered = [...promptSegments, { contentId: outputContentId, numTokens: numOutputTokens }];
  return new KvSequence([...answered, { contentId: 9, numTokens: 1 }], 1009, null);
}

describe.each(CACHES)("$name", ({ create }) => {
  const cache = (numUsableBlocks: number, fields: Partial<KvCacheConfig> = {}) =>
    create(numUsableBlocks, { blockSize: 4, enablePrefixCaching: true, ...fields });

  /** Admits a prompt whole. */
  const admit = (kv: KvCache, seq: KvSequence, numTokens: number): boolean => {
    const numHits = kv.findHits(seq, numTokens, false);
    return kv.admit(seq, numHits, numTokens - numHits * kv.config.blockSize, numTokens, 0);
  };

  it("changes nothing on a shortage", () => {
    const kv = cache(3);
    const a = sequence(1, 8);
    expect(admit(kv, a, 8)).toBe(true);
    const b = sequence(2, 8);
    expect(admit(kv, b, 8)).toBe(false);
    expect(kv.grow(a, 8, 5, 0, 8)).toBe(false);
    expect([a.numBlocks, b.numBlocks, kv.numFreeBlocks]).toEqual([2, 0, 1]);
    expect(kv.usageFraction).toBeCloseTo(2 / 3, 12);
  });

  it("tells what a growth would take", () => {
    const kv = cache(8);
    const a = sequence(1, 6);
    admit(kv, a, 6);
    expect([6, 8, 9, 13].map((numSlots) => kv.numBlocksToGrow(a, numSlots))).toEqual([0, 0, 1, 2]);
  });

  it("never serves the last token from the cache", () => {
    const kv = cache(8);
    admit(kv, sequence(1, 12), 12);
    expect(kv.findHits(sequence(1, 12), 12, false)).toBe(2);
    expect(kv.findHits(sequence(1, 13), 13, false)).toBe(3);
    expect(kv.findHits(sequence(1, 13), 13, true)).toBe(2);
  });

  it("keeps the head of a released sequence longer than its tail", () => {
    const kv = cache(4);
    const a = sequence(1, 16);
    admit(kv, a, 16);
    kv.free(a);
    admit(kv, sequence(2, 8), 8);
    expect(kv.findHits(sequence(1, 17), 17, false)).toBe(2);
  });

  it("reuses the sequence released first before one that was used again", () => {
    const kv = cache(6);
    for (const contentId of [1, 2]) {
      const seq = sequence(contentId, 12);
      admit(kv, seq, 12);
      kv.free(seq);
    }
    const again = sequence(1, 12);
    admit(kv, again, 12);
    kv.free(again);
    admit(kv, sequence(3, 12), 12);
    expect(kv.findHits(sequence(1, 13), 13, false)).toBe(3);
    expect(kv.findHits(sequence(2, 13), 13, false)).toBe(0);
  });

  it("counts revived blocks against the free ones", () => {
    const kv = cache(3);
    const a = sequence(1, 12);
    admit(kv, a, 12);
    kv.free(a);
    expect(admit(kv, sequence(1, 14), 14)).toBe(false);
    expect(kv.numFreeBlocks).toBe(3);
  });

  it("shares blocks in use without taking free ones", () => {
    const kv = cache(4);
    const a = sequence(1, 12);
    admit(kv, a, 12);
    const b = sequence(1, 12);
    expect(admit(kv, b, 12)).toBe(true);
    expect(kv.numFreeBlocks).toBe(0);
    kv.free(a);
    expect(kv.numFreeBlocks).toBe(1);
    kv.free(b);
    expect(kv.numFreeBlocks).toBe(4);
  });

  it("finds the copy registered first, so that the other may go", () => {
    const kv = cache(8);
    const [a, b] = [sequence(1, 8), sequence(1, 8)];
    kv.admit(a, 0, 8, 8, 0);
    kv.admit(b, 0, 8, 8, 0);
    const c = sequence(1, 9);
    admit(kv, c, 9);
    expect(kv.numFreeBlocks).toBe(3);
    kv.free(b);
    expect(kv.numFreeBlocks).toBe(5);
    kv.free(a);
    expect(kv.numFreeBlocks).toBe(5);
  });

  it("tells adapters apart, and a segment's end from its middle", () => {
    const kv = cache(16);
    admit(kv, sequence(1, 8, "a"), 8);
    expect(kv.findHits(sequence(1, 9), 9, false)).toBe(0);
    expect(kv.findHits(sequence(1, 9, "a"), 9, false)).toBe(2);
    const cut = [
      { contentId: 1, numTokens: 6 },
      { contentId: 1, numTokens: 6 },
    ];
    expect(kv.findHits(new KvSequence(cut, 9, "a"), 12, false)).toBe(1);
  });

  it("finds nothing when prefix caching is off", () => {
    const kv = cache(8, { enablePrefixCaching: false });
    admit(kv, sequence(1, 12), 12);
    expect(kv.findHits(sequence(1, 12), 12, false)).toBe(0);
  });

  it("leaves the watermark free", () => {
    const kv = cache(4);
    expect(kv.admit(sequence(1, 12), 0, 12, 12, 2)).toBe(false);
    expect(kv.admit(sequence(1, 12), 0, 12, 12, 1)).toBe(true);
  });

  it("asks anew where hits were evicted since, though others go on below them", () => {
    const kv = cache(5);
    const segments = [{ contentId: 1, numTokens: 5 }];
    const spoken = { contentId: 7, numTokens: 7 };
    const speaker = new KvSequence(segments, 7, null);
    admit(kv, speaker, 5);
    const interrupter = new KvSequence(
      [...segments, { ...spoken, numTokens: 1 }, { contentId: 8, numTokens: 2 }],
      9,
      null,
    );
    admit(kv, interrupter, 8);
    kv.grow(speaker, 5, 3, 0, 8);
    kv.free(speaker);
    const reader = new KvSequence([...segments, spoken], 10, null);
    expect(kv.findHits(reader, 12, false)).toBe(2);
    admit(kv, sequence(2, 12), 9);
    expect(kv.findHits(reader, 12, false)).toBe(1);
    kv.free(interrupter);
    expect(kv.admit(reader, 1, 1, 12, 0)).toBe(true);
    expect(kv.numFreeBlocks).toBe(0);
  });

  it("gives back what a preempted sequence computed when it resumes", () => {
    const kv = cache(8);
    const a = sequence(1, 6);
    admit(kv, a, 6);
    kv.grow(a, 6, 7, 0, 13);
    kv.free(a);
    expect(kv.findHits(a, 13, false)).toBe(3);
    expect(kv.admit(a, 3, 1, 13, 0)).toBe(true);
  });

  describe("in lockstep", () => {
    it("gives each member a block when its slots are full, and nobody before", () => {
      const kv = cache(8);
      const [a, b] = [sequence(1, 4), sequence(2, 6)];
      admit(kv, a, 4);
      admit(kv, b, 6);
      kv.joinLockstep(a, 4);
      kv.joinLockstep(b, 6);
      const taken: number[] = [];
      for (let i = 0; i < 7; i++) {
        taken.push(kv.numLockstepBlocks);
        expect(kv.advanceLockstep()).toBe(true);
      }
      expect(taken).toEqual([1, 0, 1, 0, 1, 0, 1]);
      expect(kv.numFreeBlocks).toBe(1);
      kv.leaveLockstep(a);
      expect(a.numBlocks).toBe(3);
    });

    it("stands still on a shortage, all of it", () => {
      const kv = cache(3);
      const [a, b] = [sequence(1, 4), sequence(2, 4)];
      admit(kv, a, 4);
      admit(kv, b, 4);
      kv.joinLockstep(a, 4);
      kv.joinLockstep(b, 4);
      expect(kv.advanceLockstep()).toBe(false);
      expect(kv.numFreeBlocks).toBe(1);
      kv.leaveLockstep(b);
      expect(kv.advanceLockstep()).toBe(true);
      expect([kv.numFreeBlocks, b.numBlocks]).toEqual([0, 1]);
    });

    it.each([0, 1])("lets others find all but the last tokens of a member (lag %i)", (lag) => {
      const kv = cache(16);
      const a = sequence(1, 6);
      admit(kv, a, 6);
      kv.lockstepLag = lag;
      kv.joinLockstep(a, 6);
      const numHits: number[] = [];
      for (let i = 0; i < 7; i++) {
        numHits.push(kv.findHits(nextTurn(a, 20), 27, false));
        kv.advanceLockstep();
      }
      expect(numHits).toEqual(lag === 0 ? [1, 1, 2, 2, 2, 2, 3] : [1, 1, 1, 2, 2, 2, 2]);
    });

    it("registers at once what a smaller lag makes known, and takes nothing back for a greater one", () => {
      const kv = cache(16);
      const a = sequence(1, 6);
      admit(kv, a, 6);
      kv.lockstepLag = 1;
      kv.joinLockstep(a, 6);
      kv.advanceLockstep();
      kv.advanceLockstep();
      expect(kv.findHits(nextTurn(a, 20), 27, false)).toBe(1);
      kv.lockstepLag = 0;
      kv.lockstepLag = 1;
      expect(kv.findHits(nextTurn(a, 20), 27, false)).toBe(2);
    });

    it("keeps what a member registered when it leaves and goes", () => {
      const kv = cache(16);
      const a = sequence(1, 6);
      admit(kv, a, 6);
      kv.joinLockstep(a, 6);
      for (let i = 0; i < 7; i++) kv.advanceLockstep();
      kv.leaveLockstep(a);
      expect([a.numBlocks, a.numRegisteredBlocks]).toEqual([4, 3]);
      kv.free(a);
      expect(kv.numFreeBlocks).toBe(16);
      expect(kv.findHits(nextTurn(a, 7), 14, false)).toBe(3);
    });

    it("ranks equal tokens of members by who had them first", () => {
      const kv = cache(16);
      const [behind, ahead] = [sequence(1, 4), sequence(1, 4)];
      kv.admit(behind, 0, 4, 4, 0);
      kv.admit(ahead, 0, 4, 4, 0);
      kv.grow(ahead, 4, 1, 0, 5);
      kv.joinLockstep(behind, 4);
      kv.joinLockstep(ahead, 5);
      for (let i = 0; i < 5; i++) kv.advanceLockstep();
      const reader = nextTurn(behind, 4);
      expect(admit(kv, reader, 9)).toBe(true);
      kv.leaveLockstep(ahead);
      const numFree = kv.numFreeBlocks;
      kv.free(ahead);
      // Block 0 of it was a second copy; block 1 is the reader's now; the rest is given back.
      expect(kv.numFreeBlocks).toBe(numFree + 2);
    });
  });
});
