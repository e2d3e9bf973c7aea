import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { distribution } from "../../../../src/core/metrics/distribution.js";
import { quantiles, repeatedQuantiles } from "../../../../src/core/metrics/quantiles.js";

const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 80 });
const SETTINGS = { seed: 20261126, numRuns: 200 };

describe("quantiles", () => {
  it("rise from the least value to the greatest, through the percentiles of the distribution", () => {
    fc.assert(
      fc.property(values, (given) => {
        const drawn = quantiles(given)!;
        const { p50, p90, p99, min, max } = distribution(given);
        expect(drawn).toHaveLength(101);
        for (let i = 1; i <= 100; i++) expect(drawn[i]).toBeGreaterThanOrEqual(drawn[i - 1]!);
        expect([drawn[0], drawn[50], drawn[90], drawn[99], drawn[100]]).toEqual([min, p50, p90, p99, max]);
      }),
      SETTINGS,
    );
  });

  it("of repeated values are those of the values written out", () => {
    const repeated = fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 5 })), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(repeated, (given) => {
        const written = given.flatMap(([value, weight]) => new Array<number>(weight).fill(value));
        const weights = given.map(([, weight]) => weight);
        expect(
          repeatedQuantiles(
            given.map(([value]) => value),
            weights,
          ),
        ).toEqual(quantiles(written));
      }),
      SETTINGS,
    );
  });

  it("leave out what does not exist, and are null of nothing", () => {
    expect(quantiles([Number.NaN, 3])).toEqual(new Array(101).fill(3));
    expect(quantiles([Number.NaN])).toBeNull();
    expect(repeatedQuantiles([Number.NaN, 7], [4, 0])).toBeNull();
  });
});
