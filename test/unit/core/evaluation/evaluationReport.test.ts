import { describe, expect, it } from "vitest";
import { compareRun } from "../../../../src/core/evaluation/compareRun.js";
import { type EvaluatedRun, evaluationReport } from "../../../../src/core/evaluation/evaluationReport.js";
import type { Regime } from "../../../../src/core/metrics/regime.js";

const { metrics, perRequest } = compareRun([], []);

const regime: Regime = {
  label: "below",
  closedLoop: false,
  utilisation: 0.1,
  sharedFraction: 0.1,
  limitedFraction: 0,
  queueGrowth: 0,
};

function run(name: string, e2eApe: number | null, excluded: string | null = null): EvaluatedRun {
  const mean = { measured: 100, predicted: 100, ape: e2eApe };
  return {
    name,
    model: "m",
    gpu: "H100",
    tensorParallelSize: 1,
    numRequests: 1,
    numCompared: 1,
    excluded,
    regime,
    metrics: { ...metrics, e2eMs: { ...metrics.e2eMs, mean } },
    perRequest,
  };
}

describe("the summary of an evaluation", () => {
  it("is the spread of the errors of the runs that count", () => {
    const { summary } = evaluationReport([run("a", 1), run("b", 9), run("c", 2)]);
    expect(summary.e2eMeanApe).toEqual({ mean: 4, median: 2, max: 9 });
  });

  it("joins the breakdowns of the runs that count", () => {
    const group = { group: "prefill", metric: "ttftMs", from: null, numRequests: 2 } as const;
    const numbers = { measuredMs: 1, predictedMs: 1, errorPercent: 0, mapePercent: 0 };
    const breakdown = { by: "phase" as const, groups: [{ ...group, ...numbers }] };
    const runs = ["a", "b"].map((name) => ({ ...run(name, 1), breakdown }));
    const { summary } = evaluationReport([...runs, { ...run("c", 9, "failed"), breakdown }]);
    expect(summary.breakdown?.groups).toMatchObject([{ group: "prefill", numRuns: 2, numRequests: 4 }]);
    expect(evaluationReport([run("a", 1)]).summary).not.toHaveProperty("breakdown");
  });

  it("takes the middle of the two middle errors of an even number", () => {
    expect(evaluationReport([run("a", 1), run("b", 2), run("c", 4), run("d", 100)]).summary.e2eMeanApe.median).toBe(3);
  });

  it("lists excluded runs and does not count them", () => {
    const { experiments, summary } = evaluationReport([run("a", 1), run("b", 900, "40 % of requests failed")]);
    expect(experiments.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(summary.e2eMeanApe).toEqual({ mean: 1, median: 1, max: 1 });
  });

  it("leaves out runs without that number, and is null when none has it", () => {
    expect(evaluationReport([run("a", null), run("b", 3)]).summary.e2eMeanApe.mean).toBe(3);
    expect(evaluationReport([run("a", null)]).summary.e2eMeanApe).toEqual({ mean: null, median: null, max: null });
    expect(evaluationReport([]).summary.ttftMeanApe).toEqual({ mean: null, median: null, max: null });
  });

  it("splits the errors by regime, and closed loops from all of them", () => {
    const near = { ...run("b", 9), regime: { ...regime, label: "near" as const } };
    const closed = { ...run("c", 2), regime: { ...regime, label: "past" as const, closedLoop: true } };
    const { byRegime } = evaluationReport([run("a", 1), run("d", 3), near, closed, run("e", 99, "failed")]).summary;
    expect(byRegime.below).toMatchObject({ numRuns: 2, e2eMeanApe: { mean: 2, max: 3 } });
    expect(byRegime.near).toMatchObject({ numRuns: 1, e2eMeanApe: { mean: 9 } });
    expect(byRegime.past).toMatchObject({ numRuns: 0, e2eMeanApe: { mean: null } });
    expect(byRegime.closedLoop).toMatchObject({ numRuns: 1, e2eMeanApe: { mean: 2 } });
  });
});
