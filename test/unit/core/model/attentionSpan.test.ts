import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attendedPairs, decodeKvTokens, prefillKvTokens } from "../../../../src/core/model/attentionSpan.js";

const SEED = { seed: 20260221, numRuns: 300 };
const chunk = fc.record({ newTokens: fc.integer({ min: 1, max: 60 }), contextTokens: fc.nat(60) });

/** Keys a query at an absolute position (from 0) sees. */
function seenKeys(position: number, slidingWindow: number): number[] {
  const first = slidingWindow === 0 ? 0 : Math.max(0, position + 1 - slidingWindow);
  return Array.from({ length: position + 1 - first }, (_, index) => first + index);
}

describe("attention span", () => {
  it("counts pairs and distinct keys as an enumeration does, with and without a window", () => {
    fc.assert(
      fc.property(chunk, fc.nat(40), ({ newTokens, contextTokens }, slidingWindow) => {
        const keys = Array.from({ length: newTokens }, (_, i) => seenKeys(contextTokens + i, slidingWindow));
        expect(attendedPairs({ newTokens, contextTokens }, slidingWindow)).toBe(keys.flat().length);
        expect(prefillKvTokens({ newTokens, contextTokens }, slidingWindow)).toBe(new Set(keys.flat()).size);
        expect(decodeKvTokens(contextTokens + 1, slidingWindow)).toBe(seenKeys(contextTokens, slidingWindow).length);
      }),
      SEED,
    );
  });

  it("does not change when a prefill is split into chunks", () => {
    fc.assert(
      fc.property(chunk, fc.nat(40), fc.nat(59), (whole, slidingWindow, cut) => {
        const first = Math.min(cut, whole.newTokens - 1);
        fc.pre(first > 0);
        const head = { newTokens: first, contextTokens: whole.contextTokens };
        const tail = { newTokens: whole.newTokens - first, contextTokens: whole.contextTokens + first };
        expect(attendedPairs(head, slidingWindow) + attendedPairs(tail, slidingWindow)).toBe(
          attendedPairs(whole, slidingWindow),
        );
        expect(prefillKvTokens(head, slidingWindow) + prefillKvTokens(tail, slidingWindow)).toBeGreaterThanOrEqual(
          prefillKvTokens(whole, slidingWindow),
        );
      }),
      SEED,
    );
  });
});
