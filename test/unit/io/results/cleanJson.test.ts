import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanJson, cleanNumber } from "../../../../src/io/results/cleanJson.js";

/** What `cleanNumber` must equal: twelve digits, by way of text. */
const byText = (value: number) => (Number.isInteger(value) ? value : Number(value.toPrecision(12)));

describe("cleanNumber", () => {
  it("is the number of twelve digits, as text has it", () => {
    const decimals = fc
      .tuple(fc.integer({ min: -999_999_999, max: 999_999_999 }), fc.integer({ min: 0, max: 14 }))
      .map(([significand, places]) => significand / 10 ** places);
    const ties = fc
      .tuple(fc.integer({ min: 1e11, max: 1e12 - 1 }), fc.integer({ min: 0, max: 22 }), fc.integer({ min: -2, max: 2 }))
      .map(([significand, places, ulps]) => ((significand + 0.5) / 10 ** places) * (1 + ulps * 2 ** -52));
    const besidePowers = fc
      .tuple(fc.integer({ min: -30, max: 30 }), fc.integer({ min: -9, max: 9 }))
      .map(([exponent, ulps]) => 10 ** exponent * (1 + ulps * 2 ** -52));
    const any = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), decimals, ties, besidePowers);
    fc.assert(
      fc.property(any, (value) => {
        expect(cleanNumber(value)).toBe(byText(value));
      }),
      { seed: 11, numRuns: 20_000 },
    );
  });

  it("drops the noise of sums, keeps integers, and knows no NaN", () => {
    expect(cleanNumber(0.1 + 0.2)).toBe(0.3);
    expect(cleanNumber(2 ** 53 - 1)).toBe(2 ** 53 - 1);
    expect(cleanJson([0.1 + 0.2, Number.NaN, Number.POSITIVE_INFINITY], 0)).toBe("[0.3,null,null]");
  });
});
