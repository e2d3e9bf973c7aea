import { describe, expect, it } from "vitest";
import { createStream } from "../../src/core/des/streams.js";
import { lengthDistributionSchema, MAX_TOKENS } from "../../src/core/workload/lengthConfig.js";
import { createLengthSampler } from "../../src/core/workload/lengthSampler.js";

const draws = (fields: object, seed: number, n: number) => {
  const sampler = createLengthSampler(lengthDistributionSchema.parse(fields), createStream(seed, "lengths"));
  return Array.from({ length: n }, () => sampler());
};
const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Distribution, its smallest and largest value, and its mean. */
const DISTRIBUTIONS: readonly (readonly [string, object, number, number, number])[] = [
  ["fixed", { kind: "fixed", tokens: 7 }, 7, 7, 7],
  ["uniform", { kind: "uniform", min: 10, max: 30 }, 10, 30, 20],
  ["uniform of one value", { kind: "uniform", min: 3, max: 3 }, 3, 3, 3],
  ["normal", { kind: "normal", mean: 500, stddev: 50 }, 250, 750, 500],
  ["normal without spread", { kind: "normal", mean: 500, stddev: 0 }, 500, 500, 500],
  ["clamped normal", { kind: "normal", mean: 100, stddev: 10, min: 100, max: 200 }, 100, 200, 103.99],
  ["lognormal", { kind: "lognormal", mean: 1000, cv: 0.8 }, 1, MAX_TOKENS, 1000],
  ["lognormal without spread", { kind: "lognormal", mean: 33, cv: 0 }, 33, 33, 33],
  ["zipf", { kind: "zipf", min: 1, max: 4, exponent: 1 }, 1, 4, 4 / (1 + 1 / 2 + 1 / 3 + 1 / 4)],
  ["zipf 0", { kind: "zipf", min: 5, max: 15, exponent: 0 }, 5, 15, 10],
  [
    "empirical",
    {
      kind: "empirical",
      values: [
        { tokens: 10, weight: 3 },
        { tokens: 50, weight: 1 },
      ],
    },
    10,
    50,
    20,
  ],
];

describe.each(DISTRIBUTIONS)("length distribution: %s", (_name, fields, min, max, mean) => {
  it("draws integers within its bounds, with its mean", () => {
    const lengths = draws(fields, 1, 20_000);
    expect(lengths.every((length) => Number.isInteger(length) && length >= min && length <= max)).toBe(true);
    expect(Math.abs(meanOf(lengths) / mean - 1)).toBeLessThan(0.03);
  });

  it("gives the same lengths for the same seed", () => {
    expect(draws(fields, 2, 100)).toEqual(draws(fields, 2, 100));
  });
});

describe("lognormal lengths", () => {
  it("have the coefficient of variation they were given", () => {
    const lengths = draws({ kind: "lognormal", mean: 1000, cv: 0.8 }, 3, 50_000);
    const mean = meanOf(lengths);
    const stddev = Math.sqrt(meanOf(lengths.map((length) => (length - mean) ** 2)));
    expect(stddev / mean).toBeCloseTo(0.8, 1);
  });

  it("are cut at the bounds", () => {
    const lengths = draws({ kind: "lognormal", mean: 100, cv: 3, min: 20, max: 200 }, 3, 2000);
    expect(Math.min(...lengths)).toBe(20);
    expect(Math.max(...lengths)).toBe(200);
  });
});

describe("empirical lengths", () => {
  it("never draw a value of weight 0", () => {
    const values = [
      { tokens: 1, weight: 0 },
      { tokens: 2, weight: 1 },
      { tokens: 3, weight: 0 },
    ];
    expect(new Set(draws({ kind: "empirical", values }, 4, 500))).toEqual(new Set([2]));
  });
});

describe("length config", () => {
  it.each([
    [{ kind: "fixed", tokens: 0 }],
    [{ kind: "fixed", tokens: 1.5 }],
    [{ kind: "fixed", tokens: Number.NaN }],
    [{ kind: "fixed", tokens: MAX_TOKENS + 1 }],
    [{ kind: "uniform", min: 5, max: 4 }],
    [{ kind: "lognormal", mean: Number.POSITIVE_INFINITY, cv: 1 }],
    [{ kind: "lognormal", mean: 10, cv: -1 }],
    [{ kind: "zipf", min: 1, max: 10_000_000 }],
    [{ kind: "empirical", values: [] }],
    [{ kind: "empirical", values: [{ tokens: 4, weight: 0 }] }],
    [{ kind: "normal", mean: 4, stdev: 2 }],
    [{ kind: "gaussian", mean: 4 }],
  ])("refuses %j", (fields) => {
    expect(lengthDistributionSchema.safeParse(fields).success).toBe(false);
  });
});
