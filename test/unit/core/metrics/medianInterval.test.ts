import { describe, expect, it } from "vitest";
import { createStream } from "../../../../src/core/des/streams.js";
import { medianInterval, signTest } from "../../../../src/core/metrics/medianInterval.js";

describe("the interval of a median", () => {
  it("has the ranks and levels of the sign test's table", () => {
    // Binomial sums by hand: 1 ÷ 2⁵; (1 + 8) ÷ 2⁸; (1 + 20 + 190 + 1140 + 4845 + 15504) ÷ 2²⁰.
    expect(signTest(5)).toEqual({ rank: 1, oneSidedLevel: 1 - 1 / 32, level: 1 - 2 / 32 });
    expect(signTest(8)).toEqual({ rank: 2, oneSidedLevel: 1 - 9 / 256, level: 1 - 18 / 256 });
    expect(signTest(20).rank).toBe(6);
    expect(signTest(20).oneSidedLevel).toBeCloseTo(1 - 21_700 / 2 ** 20, 12);
  });

  it("is the whole range of fewer values than five, with the level that this has", () => {
    expect(signTest(3)).toEqual({ rank: 1, oneSidedLevel: 7 / 8, level: 3 / 4 });
    expect(medianInterval([3, 1, 2])).toEqual({ low: 1, high: 3 });
    expect(medianInterval([1])).toBeNull();
  });

  it("comes nearer to the median from below the more values there are", () => {
    const ranks = Array.from({ length: 99 }, (_, i) => i + 2).map((count) => (signTest(count).rank - 1) / count);
    expect(ranks.at(-1)).toBeGreaterThan(0.4);
    expect(ranks[3]).toBe(0);
  });

  it("holds the median of a skewed distribution as often as it says", () => {
    const draw = createStream(1, "skewed");
    let numBelow = 0;
    const numRepetitions = 20_000;
    for (let i = 0; i < numRepetitions; i++) {
      const { low } = medianInterval(Array.from({ length: 8 }, () => draw() ** 6))!;
      if (low <= 0.5 ** 6) numBelow++;
    }
    expect(numBelow / numRepetitions).toBeCloseTo(signTest(8).oneSidedLevel, 2);
  });
});
