import { describe, expect, it } from "vitest";
import { createStream } from "../../../../src/core/des/streams.js";
import { interval80, MIN_DRAWS } from "../../../../src/core/metrics/interval.js";
import { sampleExponential, sampleNormal } from "../../../../src/core/workload/sampling.js";

describe("the 80 % interval of some draws", () => {
  it("ends at order statistics between which a tenth is left on either side", () => {
    const nineteen = Array.from({ length: 19 }, (_, i) => 19 - i);
    expect(interval80(nineteen, 10)).toEqual({ low: 2, high: 18 });
  });

  it("is the span of the fewest draws that have one, and nothing for fewer", () => {
    const few = Array.from({ length: MIN_DRAWS }, (_, i) => i);
    expect(interval80(few, 4)).toEqual({ low: 0, high: MIN_DRAWS - 1 });
    expect(interval80(few.slice(1), 4)).toBeNull();
  });

  it("contains the central value, wherever that lies", () => {
    const draws = Array.from({ length: 40 }, (_, i) => i);
    expect(interval80(draws, -5)?.low).toBe(-5);
    expect(interval80(draws, 90)?.high).toBe(90);
  });

  it("has no width where nothing differs", () => {
    expect(interval80(new Array(20).fill(7), 7)).toEqual({ low: 7, high: 7 });
  });

  it("leaves out draws without the value, and is null without a central one", () => {
    const draws = [null, ...Array.from({ length: 19 }, (_, i) => i + 1), null];
    expect(interval80(draws, 10)).toEqual({ low: 2, high: 18 });
    expect(interval80(draws, null)).toBeNull();
  });

  it.each([
    [9, "normal", sampleNormal],
    [20, "normal", sampleNormal],
    [20, "skewed", sampleExponential],
    [50, "skewed", sampleExponential],
  ] as const)("of %i %s draws holds a further one 80 times of 100", (numDraws, _, sample) => {
    const stream = createStream(20260310, "interval");
    const trials = 4000;
    let held = 0;
    for (let trial = 0; trial < trials; trial++) {
      const draws = Array.from({ length: numDraws }, () => sample(stream));
      const middle = draws.toSorted((a, b) => a - b)[numDraws >> 1] as number;
      const { low, high } = interval80(draws, middle) as { low: number; high: number };
      const further = sample(stream);
      if (low <= further && further <= high) held++;
    }
    const standardError = Math.sqrt((0.8 * 0.2) / trials);
    expect(Math.abs(held / trials - 0.8)).toBeLessThan(3 * standardError);
  });
});
