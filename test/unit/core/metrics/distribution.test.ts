import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  distribution,
  EMPTY_DISTRIBUTION,
  repeatedDistribution,
  sortedPercentile,
} from "../../../../src/core/metrics/distribution.js";

const SEED = { seed: 20260221, numRuns: 200 };
const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });

describe("distribution", () => {
  it("gives nulls and count 0 for nothing, and for nothing but NaN", () => {
    expect(distribution([])).toEqual(EMPTY_DISTRIBUTION);
    expect(distribution([Number.NaN])).toEqual(EMPTY_DISTRIBUTION);
    expect(Object.values(EMPTY_DISTRIBUTION).filter((field) => field !== null)).toEqual([0]);
  });

  it("interpolates percentiles as numpy does", () => {
    const { p50, p90, p95, p99, mean, stddev, min, max, count } = distribution([4, 1, 3, 2]);
    expect([p50, mean, min, max, count]).toEqual([2.5, 2.5, 1, 4, 4]);
    expect(p90).toBeCloseTo(3.7, 12);
    expect(p95).toBeCloseTo(3.85, 12);
    expect(p99).toBeCloseTo(3.97, 12);
    expect(stddev).toBeCloseTo(Math.sqrt(1.25), 12);
  });

  it("takes one value for every percentile of one value", () => {
    const { p50, p99, stddev } = distribution([7]);
    expect([p50, p99, stddev]).toEqual([7, 7, 0]);
  });

  it("does not depend on the order, to the last bit, and leaves its input alone", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 60 }), (values) => {
        const before = [...values];
        expect(distribution([...values].reverse())).toEqual(distribution(values));
        expect(values).toEqual(before);
      }),
      SEED,
    );
  });

  it("keeps min ≤ p50 ≤ p90 ≤ p95 ≤ p99 ≤ max, and the mean between min and max", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 60 }), (values) => {
        const d = distribution(values);
        const ladder = [d.min, d.p50, d.p90, d.p95, d.p99, d.max] as number[];
        for (let i = 1; i < ladder.length; i++) expect(ladder[i]).toBeGreaterThanOrEqual(ladder[i - 1] as number);
        expect(d.mean).toBeGreaterThanOrEqual((d.min as number) - 1e-6);
        expect(d.mean).toBeLessThanOrEqual((d.max as number) + 1e-6);
      }),
      SEED,
    );
  });

  it("leaves NaN out without moving the rest", () => {
    expect(distribution([3, Number.NaN, 1])).toEqual(distribution([1, 3]));
  });

  it("summarises a million values exactly", () => {
    const d = distribution(Float64Array.from({ length: 1_000_001 }, (_, i) => (i * 7919) % 1_000_001));
    expect([d.count, d.min, d.p50, d.p90, d.max]).toEqual([1_000_001, 0, 500_000, 900_000, 1_000_000]);
  });
});

describe("sortedPercentile", () => {
  it("hits the order statistics at their own fractions", () => {
    expect([0, 0.25, 0.5, 0.75, 1].map((q) => sortedPercentile([1, 2, 4, 8, 16], q))).toEqual([1, 2, 4, 8, 16]);
  });
});

describe("repeatedDistribution", () => {
  it("equals the distribution of the values written out", () => {
    const pairs = fc.array(fc.tuple(value, fc.nat(9)), { maxLength: 40 });
    fc.assert(
      fc.property(pairs, (input) => {
        const written = input.flatMap(([v, times]) => Array.from({ length: times }, () => v));
        const repeated = repeatedDistribution(
          input.map(([v]) => v),
          input.map(([, times]) => times),
        );
        const plain = distribution(written);
        for (const key of Object.keys(plain) as (keyof typeof plain)[]) {
          const scale = Math.max(1, Math.abs(plain[key] ?? 1));
          if (plain[key] === null) expect(repeated[key]).toBeNull();
          else expect(Math.abs((repeated[key] as number) - (plain[key] as number)) / scale).toBeLessThan(1e-9);
        }
      }),
      SEED,
    );
  });

  it("ignores a value that stands for nothing, NaN included", () => {
    expect(repeatedDistribution([5, Number.NaN, 100], [2, 0, 0])).toEqual(distribution([5, 5]));
    expect(repeatedDistribution([Number.NaN, 5], [3, 1]).count).toBe(1);
  });
});
