import { describe, expect, it } from "vitest";
import { meanRun, seedIntervals, seedValues } from "../../../../../src/core/analysis/sweep/meanRun.js";
import { tInterval } from "../../../../../src/core/metrics/tInterval.js";
import { someRun } from "./smallSweep.js";

const run = someRun();
const slow = someRun({
  e2eMs: { ...run.e2eMs, mean: (run.e2eMs.mean as number) * 3 },
  queueMs: { ...run.queueMs, p99: null },
  regime: { ...run.regime, label: "past" },
  bottleneck: { "attention, decode": 0.5, other: 0.5 },
  notes: ["a note"],
});

describe("the mean over seeds", () => {
  it("of one run is that run, to the last bit", () => {
    expect(meanRun([run])).toEqual(run);
  });

  it("is that of each number; what one seed lacks does not count", () => {
    const mean = meanRun([run, slow]);
    expect(mean.e2eMs.mean).toBeCloseTo((run.e2eMs.mean as number) * 2, 9);
    expect(mean.queueMs.p99).toBe(run.queueMs.p99);
    expect(mean.requests).toEqual(run.requests);
    expect(mean.notes).toEqual([...run.notes, "a note"]);
  });

  it("takes the middle label, the higher of two, and shares that still add up to 1", () => {
    expect(meanRun([run, slow]).regime.label).toBe("past");
    expect(meanRun([run, slow, run]).regime.label).toBe("below");
    const shares = Object.values(meanRun([run, slow]).bottleneck);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
  });

  it("keeps latency curves that rise from the least to the greatest", () => {
    const { quantiles, e2eMs } = meanRun([run, someRun()]);
    expect(quantiles.e2eMs).toHaveLength(101);
    expect(quantiles.e2eMs).toEqual([...quantiles.e2eMs].sort((a, b) => a - b));
    expect(quantiles.e2eMs[0]).toBeCloseTo(e2eMs.min as number, 2);
    expect(quantiles.e2eMs[50]).toBeCloseTo(e2eMs.p50 as number, 2);
    expect(quantiles.e2eMs[100]).toBeCloseTo(e2eMs.max as number, 2);
  });
});

describe("values of each seed", () => {
  it("are those whose mean and interval the point has, and none for one seed", () => {
    expect(seedValues([run])).toBeNull();
    const values = seedValues([run, slow]);
    expect(values?.["e2eMs.mean"]).toEqual([run.e2eMs.mean, slow.e2eMs.mean]);
    for (const [name, ofSeeds] of Object.entries(values ?? {})) {
      const [group, statistic] = name.split(".") as ["e2eMs", "mean"];
      expect(tInterval(ofSeeds), name).toEqual(seedIntervals([run, slow])?.intervals[group][statistic]);
    }
  });
});

describe("intervals across seeds", () => {
  it("are Student's, and none for one seed", () => {
    expect(seedIntervals([run])).toBeNull();
    const intervals = seedIntervals([run, slow]);
    expect(intervals).toMatchObject({ level: 0.95, method: "student-t" });
    expect(intervals?.intervals.e2eMs.mean).toEqual(tInterval([run.e2eMs.mean, slow.e2eMs.mean]));
  });
});
