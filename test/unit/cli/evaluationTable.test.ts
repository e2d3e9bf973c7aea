import { describe, expect, it } from "vitest";
import { evaluationTable, signedPercent } from "../../../src/cli/evaluationTable.js";
import { type Comparison, compareRun } from "../../../src/core/evaluation/compareRun.js";
import { type EvaluatedRun, evaluationReport } from "../../../src/core/evaluation/evaluationReport.js";
import type { Regime } from "../../../src/core/metrics/regime.js";

const compared = (measured: number, predicted: number): Comparison => ({
  measured,
  predicted,
  ape: 100 * Math.abs(predicted / measured - 1),
});

describe("the error of a prediction", () => {
  it.each([
    [110, "+10.0"],
    [90, "-10.0"],
    [100.04, "0.0"],
    [99.96, "0.0"],
    [100, "0.0"],
  ])("of 100 measured and %s predicted is %s %%: what rounds to 0 has no sign", (predicted, printed) => {
    expect(signedPercent(compared(100, predicted))).toBe(printed);
  });
});

describe("the tables of an evaluation", () => {
  const { metrics, perRequest } = compareRun([], []);
  const regime: Regime = {
    label: "below",
    closedLoop: false,
    utilisation: 0.1,
    sharedFraction: 0.1,
    limitedFraction: 0,
    queueGrowth: 0,
  };
  const run = (name: string, predicted: number): EvaluatedRun => ({
    name,
    model: "m",
    gpu: "H100",
    tensorParallelSize: 1,
    numRequests: 1,
    numCompared: 1,
    excluded: null,
    regime,
    metrics: { ...metrics, ttftMs: { ...metrics.ttftMs, p99: compared(100, predicted) } },
    perRequest,
  });

  it("have the error of the p99 of TTFT run by run, by saturation and over all runs", () => {
    const table = evaluationTable(evaluationReport([run("a", 30), run("b", 110)]));
    const cells = (line: RegExp) => (line.exec(table)?.[0] ?? "").split(/ {2,}/);
    const columnOf = (heading: RegExp) => cells(heading).indexOf("TTFT p99");
    expect(cells(/^a {2,}.*$/m)[columnOf(/^error, %.*$/m)]).toBe("-70.0");
    expect(cells(/^below {2,}.*$/m)[columnOf(/^mean \|error\| by saturation.*$/m)]).toBe("40.0");
    expect(cells(/^TTFT p99 {2,}.*$/m)).toEqual(["TTFT p99", "40.0", "40.0", "70.0"]);
  });
});
