import { describe, expect, it } from "vitest";
import { arrivalProfileSchema, type OpenLoopProfile } from "../../src/core/workload/arrivalConfig.js";
import { createArrivalProcess } from "../../src/core/workload/arrivals.js";

const profile = (fields: object) => arrivalProfileSchema.parse(fields) as OpenLoopProfile;

const arrivals = (fields: object, seed: number, n: number, known: number | null = n) => {
  const next = createArrivalProcess(profile(fields), seed, known);
  return Array.from({ length: n }, () => next());
};

const gapsOf = (times: readonly number[]) => times.map((time, i) => time - (times[i - 1] ?? 0));
const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const cvOf = (values: readonly number[]) => {
  const mean = meanOf(values);
  return Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2))) / mean;
};

const PROCESSES: readonly (readonly [
  string,
  { readonly kind: string; readonly rate: number; readonly [field: string]: unknown },
])[] = [
  ["constant", { kind: "constant", rate: 3 }],
  ["constant from 0", { kind: "constant", rate: 7, first: "at-zero" }],
  ["poisson", { kind: "poisson", rate: 5 }],
  ["poisson of 10 equal workers", { kind: "poisson", rate: 5, workers: 10 }],
  ["gamma 0.25", { kind: "gamma", rate: 4, burstiness: 0.25 }],
  ["gamma 1", { kind: "gamma", rate: 4, burstiness: 1 }],
  ["gamma 4", { kind: "gamma", rate: 0.5, burstiness: 4 }],
  ["gamma 4, as drawn", { kind: "gamma", rate: 4, burstiness: 4, rescale: false }],
];

describe.each(PROCESSES)("arrival process: %s", (_name, fields) => {
  it("yields integer µs that never decrease, from 0 on", () => {
    const times = arrivals(fields, 1, 5000);
    expect(times.every((time, i) => Number.isSafeInteger(time) && time >= (times[i - 1] ?? 0))).toBe(true);
  });

  it("has the mean rate it was given", () => {
    const times = arrivals(fields, 2, 20_000, null);
    const requestsPerS = (times.length * 1e6) / (times.at(-1) as number);
    expect(Math.abs(requestsPerS / fields.rate - 1)).toBeLessThan(0.06);
  });

  it("gives the same times for the same seed", () => {
    expect(arrivals(fields, 3, 500)).toEqual(arrivals(fields, 3, 500));
  });
});

describe("constant arrivals", () => {
  it("start after one gap as GuideLLM's do, or at 0", () => {
    expect(arrivals({ kind: "constant", rate: 4 }, 1, 3)).toEqual([250_000, 500_000, 750_000]);
    expect(arrivals({ kind: "constant", rate: 4, first: "at-zero" }, 1, 3)).toEqual([0, 250_000, 500_000]);
  });

  it("do not drift: arrival 300,000 at 3/s is at 100,000 s", () => {
    expect(arrivals({ kind: "constant", rate: 3 }, 1, 300_000).at(-1)).toBe(100_000e6);
  });
});

describe("poisson arrivals", () => {
  it("have exponential gaps: CV 1, and a share 1 − 1/e below the mean", () => {
    const gaps = gapsOf(arrivals({ kind: "poisson", rate: 5 }, 4, 40_000));
    expect(cvOf(gaps)).toBeCloseTo(1, 1);
    expect(gaps.filter((gap) => gap < 200_000).length / gaps.length).toBeCloseTo(1 - Math.exp(-1), 2);
  });

  it("repeat each gap once per worker", () => {
    const gaps = gapsOf(arrivals({ kind: "poisson", rate: 5, workers: 4 }, 4, 12));
    for (let i = 0; i < 12; i += 4) {
      for (let k = 1; k < 4; k++) expect(Math.abs(gaps[i + k]! - gaps[i]!)).toBeLessThanOrEqual(1);
    }
    expect(gaps[0]).not.toBe(gaps[4]);
  });
});

describe("gamma arrivals", () => {
  it.each([0.25, 0.5, 1, 4, 16])("with burstiness %d have gaps of CV 1/√burstiness", (burstiness) => {
    const gaps = gapsOf(arrivals({ kind: "gamma", rate: 4, burstiness }, 5, 40_000));
    expect(cvOf(gaps) * Math.sqrt(burstiness)).toBeCloseTo(1, 1);
  });

  it.each([1, 2, 17, 1000])("put the last of %i requests at exactly n/rate", (n) => {
    for (const burstiness of [0.1, 1, 9]) {
      const times = arrivals({ kind: "gamma", rate: 3, burstiness }, 6, n);
      expect(times.at(-1)).toBe(Math.round((n / 3) * 1e6));
    }
  });

  it("are only stretched: the shape of the gaps is that of the unscaled ones", () => {
    const scaled = gapsOf(arrivals({ kind: "gamma", rate: 2, burstiness: 0.5 }, 7, 200));
    const drawn = gapsOf(arrivals({ kind: "gamma", rate: 2, burstiness: 0.5 }, 7, 200, null));
    const factor = scaled.reduce((a, b) => a + b, 0) / drawn.reduce((a, b) => a + b, 0);
    expect(factor).not.toBeCloseTo(1, 3);
    scaled.forEach((gap, i) => {
      expect(Math.abs(gap - drawn[i]! * factor)).toBeLessThan(3);
    });
  });

  it("go on at the same scale past the known number", () => {
    const times = arrivals({ kind: "gamma", rate: 2, burstiness: 1 }, 8, 50, 10);
    expect(times[9]).toBe(5e6);
    expect(times[49]).toBeGreaterThan(times[9]!);
  });
});
