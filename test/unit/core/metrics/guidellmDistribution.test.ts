import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  emptyGuidellmDistribution,
  GUIDELLM_PERCENTILES,
  guidellmDistribution,
} from "../../../../src/core/metrics/guidellmDistribution.js";

const SEED = { seed: 20260221, numRuns: 200 };

/** Nearest rank by counting: the first value that at least a fraction q of all values do not exceed. */
function nearestRank(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length - 1e-9) - 1)] as number;
}

describe("guidellmDistribution", () => {
  it("is all zeros for nothing", () => {
    const empty = guidellmDistribution({ values: new Float64Array(0), weights: null });
    expect(empty).toEqual(emptyGuidellmDistribution());
    expect(Object.keys(empty.percentiles)).toEqual(Object.keys(GUIDELLM_PERCENTILES));
  });

  it("takes the maximum for p99 of 40 values", () => {
    const values = Float64Array.from({ length: 40 }, (_, i) => i + 1);
    const { percentiles, median } = guidellmDistribution({ values, weights: null });
    expect([percentiles.p99, percentiles.p95, percentiles.p90, percentiles.p001, median]).toEqual([40, 38, 36, 1, 20]);
  });

  it("agrees with counting ranks over the values written out", () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 9 })), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(pairs, (input) => {
        const written = input.flatMap(([value, times]) => Array.from({ length: times }, () => value));
        const summary = guidellmDistribution({
          values: Float64Array.from(input, ([value]) => value),
          weights: Float64Array.from(input, ([, times]) => times),
        });
        for (const [key, q] of Object.entries(GUIDELLM_PERCENTILES)) {
          // A cumulative sum of fractions may land one rounding below a rank that is exactly on q.
          if (Math.abs(q * written.length - Math.round(q * written.length)) < 1e-9) continue;
          expect(summary.percentiles[key as keyof typeof GUIDELLM_PERCENTILES]).toBe(nearestRank(written, q));
        }
        expect(summary.count).toBe(written.length);
        expect(summary.mean).toBeCloseTo(written.reduce((sum, value) => sum + value, 0) / written.length, 9);
        expect(summary.total_sum).toBeCloseTo(summary.mean * summary.count, 9);
      }),
      SEED,
    );
  });

  it("takes the heaviest value as mode, the smallest on a tie, and drops weight 0", () => {
    const input = { values: Float64Array.of(9, 3, 3, 7, 0), weights: Float64Array.of(2, 1, 1, 1, 0) };
    const summary = guidellmDistribution(input);
    expect([summary.mode, summary.min, summary.max, summary.count]).toEqual([3, 3, 9, 5]);
  });
});
