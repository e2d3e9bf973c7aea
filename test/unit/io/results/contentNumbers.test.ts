import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CONTENT_PURPOSES, contentId, MAX_CONTENT_INDEX } from "../../../../src/core/workload/contentIds.js";
import { ContentNumbers } from "../../../../src/io/results/contentNumbers.js";

const index = fc.oneof(fc.nat({ max: 200 }), fc.nat({ max: 1e6 }), fc.integer({ min: 0, max: MAX_CONTENT_INDEX }));
const content = fc.tuple(fc.constantFrom(...CONTENT_PURPOSES), index).map(([purpose, i]) => contentId(purpose, i));

describe("the numbers of contents", () => {
  it("count them as they first appear, whatever their ids", () => {
    fc.assert(
      fc.property(fc.array(content, { maxLength: 300 }), (ids) => {
        const distinct = [...new Set(ids)];
        const numbers = new ContentNumbers();
        expect(ids.map((id) => numbers.numberOf(id))).toEqual(ids.map((id) => distinct.indexOf(id)));
      }),
      { seed: 20261126, numRuns: 300 },
    );
  });

  it("stay apart over more contents than are kept together", () => {
    const numbers = new ContentNumbers();
    const ids = Array.from({ length: 200_000 }, (_, i) => contentId(i % 2 === 0 ? "prompt" : "output", i >> 1));
    const twice = [...ids, ...ids].map((id) => numbers.numberOf(id));
    expect(twice.every((number, i) => number === i % ids.length)).toBe(true);
  });
});
