import { describe, expect, it } from "vitest";
import { coverageTable, uncertaintyTable } from "../../../src/cli/uncertaintyTable.js";
import { COMPARED_NAMES } from "../../../src/core/evaluation/uncertainty/comparedNumbers.js";
import type { CoverageSummary } from "../../../src/core/evaluation/uncertainty/coverage.js";
import { type RunMetrics, summariseRecords } from "../../../src/core/metrics/runMetrics.js";
import { runUncertainty } from "../../../src/core/metrics/runUncertainty.js";

/** A run with these mean TTFTs and nothing else to tell. */
function run(ttftMs: number): RunMetrics {
  const empty = summariseRecords([]);
  return { ...empty, ttftMs: { ...empty.ttftMs, mean: ttftMs } };
}

describe("the table of a run's intervals", () => {
  const worlds = Array.from({ length: 19 }, (_, i) => run(100 + i));
  const scale = { unit: "ms", msPerUnit: 1, decimals: 1 };
  const table = (ttftMs: number) => uncertaintyTable(run(ttftMs), runUncertainty(run(ttftMs), worlds, []), scale);

  it("shows this run, the median of the worlds and their interval, one below the other", () => {
    const [, ...lines] = table(105).split("\n");
    expect(lines.slice(0, 3).map((line) => line.split(/ {2,}/).filter((cell) => cell !== ""))).toEqual([
      ["TTFT", "this run", "105.0", "–", "–", "–"],
      ["median world", "109.0", "–", "–", "–"],
      ["80 % interval", "101.0–117.0", "–", "–", "–"],
    ]);
  });

  it("says why a run may stand at the end of its interval", () => {
    expect(table(130)).toContain("101.0–130.0");
    expect(table(130)).toContain("an interval reaches to this run's number where the worlds alone would not");
  });
});

describe("the table of coverage", () => {
  const none = { numIntervals: 0, numCovered: 0, coveredFraction: null, meanRelativeWidth: null };
  const all = { numIntervals: 143, numCovered: 140, coveredFraction: 140 / 143, meanRelativeWidth: 0.3 };

  it("says that runs are the evidence, and how many of them held throughout", () => {
    const summary: CoverageSummary = {
      level: 0.8,
      draws: 20,
      all,
      runs: { numRuns: 11, numAllCovered: 9 },
      headline: all,
      byRegime: { below: all, near: none, past: none, closedLoop: none },
      byNumber: Object.fromEntries(COMPARED_NAMES.map((name) => [name, all])) as CoverageSummary["byNumber"],
    };
    const text = coverageTable(summary).replaceAll("\n", " ");
    expect(text).toContain("the evidence of 11 runs, not of 143 intervals. All intervals held in 9 of 11.");
  });
});
