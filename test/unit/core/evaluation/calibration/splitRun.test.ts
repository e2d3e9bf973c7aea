import { describe, expect, it } from "vitest";
import { splitRun, usableRequests } from "../../../../../src/core/evaluation/calibration/splitRun.js";
import type { MeasuredRequest, MeasuredRun } from "../../../../../src/core/metrics/measuredExperiment.js";

function runOf(numRequests: number, failed: (index: number) => boolean = () => false): MeasuredRun {
  const measured = Array.from(
    { length: numRequests },
    (_, i): MeasuredRequest => ({ ttftMs: 20, e2eMs: 200, itlMs: 10, failed: failed(i) }),
  );
  return {
    name: "run",
    closedLoopConcurrency: null,
    specs: [],
    measured,
    stages: [],
    aggregates: null,
    outputTokensPerS: null,
    excluded: null,
  };
}

describe("the split of a run", () => {
  it.each([10, 40, 100, 137, 999, 16_800])("uses each usable request once, of %i", (numRequests) => {
    const run = runOf(numRequests, (i) => i % 7 === 3);
    const { training, validation, numWarmUp } = splitRun(run, 1);
    const used = [...training.flat(), ...validation].sort((a, b) => a - b);
    expect(used).toEqual(usableRequests(run.measured).filter((i) => i >= numWarmUp));
  });

  it("leaves out a tenth as warm-up, a hundred requests at most", () => {
    expect(splitRun(runOf(200), 1).numWarmUp).toBe(20);
    expect(splitRun(runOf(5000), 1).numWarmUp).toBe(100);
  });

  it("keeps about a fifth for validation, from every part of the run", () => {
    const { validation } = splitRun(runOf(5000), 1);
    expect(validation.length / 4900).toBeCloseTo(0.2, 1);
    for (let quarter = 0; quarter < 4; quarter++) {
      const inQuarter = validation.filter((i) => i >= 100 + quarter * 1225 && i < 100 + (quarter + 1) * 1225);
      expect(inQuarter.length).toBeGreaterThan(0);
    }
  });

  it("keeps consecutive requests together", () => {
    for (const block of splitRun(runOf(1000), 1).training) {
      expect(block.at(-1)! - block[0]!).toBe(block.length - 1);
    }
  });

  it("is drawn by the seed", () => {
    expect(splitRun(runOf(1000), 1)).toEqual(splitRun(runOf(1000), 1));
    expect(splitRun(runOf(1000), 1)).not.toEqual(splitRun(runOf(1000), 2));
  });
});

describe("a usable request", () => {
  it("completed, with both latencies", () => {
    const good = { ttftMs: 20, e2eMs: 200, itlMs: Number.NaN, failed: false };
    const bad = [
      { ...good, failed: true },
      { ...good, ttftMs: Number.NaN },
      { ...good, e2eMs: 0 },
    ];
    expect(usableRequests([good, ...bad, good])).toEqual([0, 4]);
  });
});
