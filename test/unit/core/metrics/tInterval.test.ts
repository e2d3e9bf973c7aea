import { describe, expect, it } from "vitest";
import { studentT975, tInterval } from "../../../../src/core/metrics/tInterval.js";

describe("studentT975", () => {
  it.each([
    [1, 12.7062],
    [2, 4.30265],
    [5, 2.57058],
    [10, 2.22814],
    [11, 2.20099],
    [12, 2.17881],
    [15, 2.13145],
    [20, 2.08596],
    [30, 2.04227],
    [60, 2.0003],
    [120, 1.97993],
    [1e6, 1.95997],
  ])("with %i degrees of freedom is %f, as tables have it", (degreesOfFreedom, expected) => {
    expect(Math.abs(studentT975(degreesOfFreedom) - expected)).toBeLessThan(2e-5);
  });

  it("falls towards the normal distribution's, without a jump where the expansion takes over", () => {
    const points = Array.from({ length: 200 }, (_, i) => studentT975(i + 1));
    for (let i = 1; i < points.length; i++) expect(points[i]!).toBeLessThan(points[i - 1]!);
  });
});

describe("tInterval", () => {
  it("is the mean ± t·s/√n", () => {
    const { low, high } = tInterval([1, 2, 3])!;
    const half = 4.3026527 / Math.sqrt(3);
    expect(low).toBeCloseTo(2 - half, 6);
    expect(high).toBeCloseTo(2 + half, 6);
  });

  it("leaves out what has no value, and says nothing of one value", () => {
    expect(tInterval([1, null, 3])).toEqual(tInterval([1, 3]));
    expect(tInterval([1, null])).toBeNull();
    expect(tInterval([])).toBeNull();
  });

  it("has no width without spread", () => {
    expect(tInterval([5, 5, 5])).toEqual({ low: 5, high: 5 });
  });
});
