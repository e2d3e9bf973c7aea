import { describe, expect, it } from "vitest";
import { InvariantError } from "../../../../src/core/errors/simulationError.js";
import { ExtentKvCache } from "../../../../src/core/kv/extentKvCache.js";
import { KvSequence } from "../../../../src/core/request/kvSequence.js";

const NUM_PROMPT_TOKENS = 100;

function cache(numUsableBlocks: number): ExtentKvCache {
  return new ExtentKvCache(numUsableBlocks, { blockSize: 16, enablePrefixCaching: true });
}

function admitted(kv: ExtentKvCache, contentId: number): KvSequence {
  const seq = new KvSequence([{ contentId, numTokens: NUM_PROMPT_TOKENS }], contentId + 1, null);
  expect(kv.admit(seq, kv.findHits(seq, NUM_PROMPT_TOKENS, false), NUM_PROMPT_TOKENS, NUM_PROMPT_TOKENS, 0)).toBe(true);
  return seq;
}

/** Generates 50 tokens for a sequence and lets it go. */
function serve(kv: ExtentKvCache, seq: KvSequence): void {
  kv.joinLockstep(seq, NUM_PROMPT_TOKENS);
  for (let i = 0; i < 50; i++) kv.advanceLockstep();
  kv.leaveLockstep(seq);
  kv.free(seq);
}

describe("ExtentKvCache", () => {
  it("remembers no more contents than it has blocks, however many it has seen", () => {
    const kv = cache(40);
    for (let id = 0; id < 10_000; id += 2) serve(kv, admitted(kv, id));
    expect(kv.numFreeBlocks).toBe(40);
    expect(kv.numContentNodes).toBeGreaterThan(2);
    expect(kv.numContentNodes).toBeLessThanOrEqual(40);
  });

  it("advances the lockstep without looking at its members", () => {
    const kv = cache(2000);
    const members = Array.from({ length: 100 }, (_, i) => admitted(kv, 2 * i));
    for (const member of members) kv.joinLockstep(member, NUM_PROMPT_TOKENS);
    for (let i = 0; i < 60; i++) expect(kv.advanceLockstep()).toBe(true);
    expect(kv.numContentNodes).toBe(100);
    expect(kv.counts.numSettlements).toBe(0);
    expect(members.map((member) => member.numRegisteredBlocks)).toEqual(members.map(() => 6));
  });

  it("lets only those catch up whose open end a lookup reaches", () => {
    const kv = cache(2000);
    const members = Array.from({ length: 100 }, (_, i) => admitted(kv, 2 * i));
    for (const member of members) kv.joinLockstep(member, NUM_PROMPT_TOKENS);
    for (let i = 0; i < 60; i++) kv.advanceLockstep();
    const { promptSegments, outputContentId } = members[7]!;
    const next = new KvSequence([...promptSegments, { contentId: outputContentId, numTokens: 60 }], 1e6, null);
    expect(kv.findHits(next, 160, false)).toBe(9);
    expect(kv.counts.numSettlements).toBe(1);
  });

  it("goes on where it stood when a waiting sequence asks again", () => {
    const kv = cache(100);
    const seq = admitted(kv, 0);
    const again = new KvSequence([...seq.promptSegments, { contentId: 8, numTokens: 50 }], 9, null);
    expect(kv.findHits(again, 150, false)).toBe(6);
    expect(kv.findHits(again, 150, false)).toBe(6);
    expect(kv.counts.numResumedLookups).toBe(1);
    kv.free(seq);
    admitted(kv, 100);
    for (let id = 200; id < 220; id += 2) serve(kv, admitted(kv, id));
    expect(kv.findHits(again, 150, false)).toBe(0);
  });

  it("refuses a member whose blocks are not those of its tokens", () => {
    const kv = cache(100);
    const seq = admitted(kv, 0);
    expect(() => kv.joinLockstep(seq, NUM_PROMPT_TOKENS + 16)).toThrow(InvariantError);
  });
});
