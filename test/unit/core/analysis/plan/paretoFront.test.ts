import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { paretoFront } from "../../../../../src/core/analysis/plan/paretoFront.js";

describe("paretoFront", () => {
  it("keeps what nothing beats, equals among them", () => {
    const front = paretoFront([
      [1, 5],
      [2, 2],
      [2, 2],
      [2, 3],
      [5, 1],
      [Number.NaN, 0],
    ]);
    expect(front).toEqual([true, true, true, false, true, false]);
  });

  it("leaves out exactly the points that some point of the front beats", () => {
    const point = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 30 }), (points) => {
        const front = paretoFront(points);
        const kept = points.filter((_, i) => front[i]);
        const isBeaten = ([x, y]: [number, number]) => kept.some(([a, b]) => a <= x && b <= y && (a < x || b < y));
        points.forEach((one, i) => {
          expect(isBeaten(one)).toBe(!front[i]);
        });
      }),
      { seed: 20261126 },
    );
  });
});
