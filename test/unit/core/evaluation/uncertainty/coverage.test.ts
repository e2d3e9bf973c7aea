import { describe, expect, it } from "vitest";
import { compareRun } from "../../../../../src/core/evaluation/compareRun.js";
import {
  COMPARED_NAMES,
  type ComparedNumber,
  type PredictionIntervals,
} from "../../../../../src/core/evaluation/uncertainty/comparedNumbers.js";
import {
  coverage,
  coverageSummary,
  type IntervalledRun,
} from "../../../../../src/core/evaluation/uncertainty/coverage.js";
import type { RegimeLabel } from "../../../../../src/core/metrics/regime.js";

const latency = { measured: 100, predicted: 100, ape: 0 };
const statistics = { mean: latency, p50: latency, p90: latency, p99: latency };
const metrics = {
  ...compareRun([], []).metrics,
  e2eMs: statistics,
  ttftMs: statistics,
  itlMs: statistics,
  outputTokensPerS: latency,
};

/** A run whose intervals hold these numbers and no others, each of this width about 100. */
function run(covered: readonly ComparedNumber[], width = 20, label: RegimeLabel = "below"): IntervalledRun {
  const interval = (name: ComparedNumber) => ({
    low: 100 - width / 2,
    high: 100 + width / 2,
    covers: covered.includes(name),
  });
  const intervals = Object.fromEntries(COMPARED_NAMES.map((name) => [name, interval(name)])) as PredictionIntervals;
  const regime = { label, closedLoop: false, utilisation: 0, sharedFraction: 0, limitedFraction: 0, queueGrowth: 0 };
  return { regime, metrics, uncertainty: { draws: 20, intervals } };
}

describe("coverage", () => {
  it("counts intervals that held what was measured, and their mean relative width", () => {
    const runs = [run(["e2eMs.mean"], 10), run(["e2eMs.mean", "ttftMs.p50"], 30)];
    expect(coverage(runs, ["e2eMs.mean", "ttftMs.p50"])).toEqual({
      numIntervals: 4,
      numCovered: 3,
      coveredFraction: 0.75,
      meanRelativeWidth: 0.2,
    });
  });

  it("is split by regime and by number, with one line for the three that stand for a run", () => {
    const summary = coverageSummary([run(COMPARED_NAMES), run([], 20, "near")])!;
    expect(summary).toMatchObject({ level: 0.8, draws: 20 });
    expect(summary.all).toMatchObject({ numIntervals: 2 * COMPARED_NAMES.length, coveredFraction: 0.5 });
    expect(summary.headline.numIntervals).toBe(6);
    expect(summary.byRegime.below.coveredFraction).toBe(1);
    expect(summary.byRegime.near.coveredFraction).toBe(0);
    expect(summary.byRegime.past).toEqual({
      numIntervals: 0,
      numCovered: 0,
      coveredFraction: null,
      meanRelativeWidth: null,
    });
    expect(summary.byNumber["itlMs.p90"].coveredFraction).toBe(0.5);
  });

  it("counts the runs as the evidence: those with intervals, and those that all of theirs held", () => {
    const { uncertainty: _none, ...without } = run(COMPARED_NAMES);
    const runs = [run(COMPARED_NAMES), run(COMPARED_NAMES.slice(1)), run(COMPARED_NAMES), without];
    expect(coverageSummary(runs)?.runs).toEqual({ numRuns: 3, numAllCovered: 2 });
  });

  it("leaves out numbers without an interval, and is null where no run has any", () => {
    const { uncertainty, ...plain } = run(COMPARED_NAMES);
    const partly = { ...uncertainty!, intervals: { ...uncertainty!.intervals, "e2eMs.p99": null } };
    expect(coverage([{ ...plain, uncertainty: partly }, plain], COMPARED_NAMES).numIntervals).toBe(
      COMPARED_NAMES.length - 1,
    );
    expect(coverageSummary([plain])).toBeNull();
  });
});
