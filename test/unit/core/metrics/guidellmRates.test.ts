import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concurrencyDistribution, rateDistribution } from "../../../../src/core/metrics/guidellmRates.js";

const SEED = { seed: 20260221, numRuns: 200 };
const timeS = fc.integer({ min: 0, max: 100_000 }).map((ms) => ms / 1000);

describe("rateDistribution", () => {
  it("has n / window as its mean, whatever the times", () => {
    fc.assert(
      fc.property(fc.array(timeS, { minLength: 1, maxLength: 50 }), (times) => {
        const window = { startS: -1, endS: 101 };
        const rate = rateDistribution({ values: Float64Array.from(times), weights: null }, window);
        expect(rate.mean).toBeCloseTo(times.length / 102, 9);
        expect(rate.count).toBe(times.length);
      }),
      SEED,
    );
  });

  it("has Σ weights / (last − first) as its mean without a window", () => {
    const rate = rateDistribution({ values: Float64Array.of(0, 1, 4), weights: Float64Array.of(5, 1, 2) }, null);
    expect(rate.mean).toBeCloseTo(8 / 4, 9);
  });

  it("merges events within 0.1 ms into one", () => {
    const events = { values: Float64Array.of(0, 1, 1.00005, 2), weights: null };
    expect(rateDistribution(events, null).max).toBeCloseTo(2 / 1, 6);
  });

  it("says nothing about fewer than two events, and drops events outside the window", () => {
    expect(rateDistribution({ values: Float64Array.of(3), weights: null }, null)).toMatchObject({ mean: 0, count: 1 });
    const window = { startS: 0, endS: 10 };
    expect(rateDistribution({ values: Float64Array.of(-5, 2, 50), weights: null }, window).mean).toBeCloseTo(0.1, 12);
  });
});

describe("concurrencyDistribution", () => {
  it("has Σ overlap / window as its mean and the peak as its maximum", () => {
    const interval = fc.tuple(timeS, timeS).map(([a, b]) => [Math.min(a, b), Math.max(a, b) + 0.5] as const);
    fc.assert(
      fc.property(fc.array(interval, { minLength: 1, maxLength: 30 }), (intervals) => {
        const window = { startS: 10, endS: 60 };
        const starts = Float64Array.from(intervals, ([start]) => start);
        const ends = Float64Array.from(intervals, ([, end]) => end);
        const level = concurrencyDistribution(starts, ends, window);
        let overlapS = 0;
        for (const [start, end] of intervals) overlapS += Math.max(0, Math.min(end, 60) - Math.max(start, 10));
        expect(level.mean).toBeCloseTo(overlapS / 50, 6);
        expect(level.count).toBe(intervals.filter(([start, end]) => end >= 10 && start <= 60).length);
      }),
      SEED,
    );
    const nested = concurrencyDistribution(Float64Array.of(0, 1, 2), Float64Array.of(9, 8, 7.5), {
      startS: 0,
      endS: 10,
    });
    expect([nested.max, nested.median]).toEqual([3, 3]);
  });

  it("is empty when nothing touches the window", () => {
    const none = concurrencyDistribution(Float64Array.of(0), Float64Array.of(1), { startS: 5, endS: 6 });
    expect([none.count, none.max]).toEqual([0, 0]);
  });
});
