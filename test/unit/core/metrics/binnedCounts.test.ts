import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BinnedCounts } from "../../../../src/core/metrics/binnedCounts.js";
import { distribution, EMPTY_DISTRIBUTION } from "../../../../src/core/metrics/distribution.js";
import { quantiles } from "../../../../src/core/metrics/quantiles.js";

const SEED = 20261127;
/** What a bin is wide, of its numbers. */
const BIN_WIDTH = 2 ** -9;

type Counted = readonly (readonly [value: number, count: number])[];
const repeated = (counted: Counted) => counted.flatMap(([value, count]) => new Array<number>(count).fill(value));

function binned(counted: Counted): BinnedCounts {
  const counts = new BinnedCounts();
  for (const [value, count] of counted) counts.add(value, count);
  return counts;
}

/** Gaps from a µs to a minute, some of them equal. */
const gaps = fc.array(
  fc.tuple(
    fc.oneof(fc.integer({ min: 1, max: 60_000_000 }), fc.constantFrom(0, 9000, 9001)),
    fc.integer({ min: 1, max: 40 }),
  ),
  { minLength: 1, maxLength: 200 },
);

describe("counts in bins", () => {
  it("have the exact count, sum, least and greatest number", () => {
    fc.assert(
      fc.property(gaps, (counted) => {
        const counts = binned(counted);
        const { count, min, max } = distribution(repeated(counted));
        expect(counts.distribution()).toMatchObject({ count, min, max });
        expect(counts.count).toBe(count);
        expect(counts.sum).toBeCloseTo(
          counted.reduce((sum, [value, times]) => sum + value * times, 0),
          3,
        );
      }),
      { seed: SEED },
    );
  });

  it("have percentiles, mean and deviation that are no more than a bin off", () => {
    fc.assert(
      fc.property(gaps, (counted) => {
        const found = binned(counted);
        const exact = quantiles(repeated(counted))!;
        found.quantiles()!.forEach((value, percent) => {
          expect(Math.abs(value - exact[percent]!)).toBeLessThanOrEqual(BIN_WIDTH * exact[percent]!);
        });
        const { mean, stddev, p99 } = found.distribution();
        const wanted = distribution(repeated(counted));
        expect(p99).toBe(found.quantiles()![99]);
        expect(Math.abs(mean! - wanted.mean!)).toBeLessThanOrEqual(1e-9 * wanted.mean!);
        expect(Math.abs(stddev! - wanted.stddev!)).toBeLessThanOrEqual(BIN_WIDTH * wanted.max!);
      }),
      { seed: SEED },
    );
  });

  it("do not depend on the order in which whole numbers came", () => {
    fc.assert(
      fc.property(gaps, (counted) => {
        expect(binned([...counted].reverse()).bins()).toEqual(binned(counted).bins());
      }),
      { seed: SEED },
    );
  });

  it("are exact where the numbers of each bin are equal, in another unit too", () => {
    const counted = [
      [9000, 3],
      [12_500, 5],
      [183_000, 1],
    ] as const;
    const { mean: _mean, stddev: _stddev, ...found } = binned(counted).distribution(1000);
    expect(distribution(repeated(counted).map((us) => us / 1000))).toMatchObject(found);
  });

  it("tell numbers apart that lie a bin apart, and hold any number", () => {
    expect(
      binned([
        [10_000, 1],
        [10_000 * (1 + BIN_WIDTH), 1],
      ]).bins().values,
    ).toHaveLength(2);
    expect(
      binned([
        [10_000, 1],
        [10_001, 1],
      ]).bins().values,
    ).toEqual(Float64Array.of(10_000.5));
    const wide = binned([0, 0.25, 1, 2 ** 52, 2 ** 60, 1e300].map((value) => [value, 1] as const));
    expect(wide.distribution()).toMatchObject({ count: 6, min: 0, max: 1e300 });
  });

  it("of nothing are the distribution of nothing", () => {
    expect(new BinnedCounts().distribution()).toEqual(EMPTY_DISTRIBUTION);
    expect(new BinnedCounts().quantiles()).toBeNull();
    expect(new BinnedCounts().shifted(5).distribution()).toEqual(EMPTY_DISTRIBUTION);
  });
});
