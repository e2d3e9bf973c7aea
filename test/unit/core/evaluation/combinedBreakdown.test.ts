import { describe, expect, it } from "vitest";
import { combinedBreakdown } from "../../../../src/core/evaluation/combinedBreakdown.js";
import type { BreakdownMetric, ErrorBreakdown, GroupError } from "../../../../src/core/evaluation/errorBreakdown.js";

function groupError(
  from: number | null,
  metric: BreakdownMetric,
  numRequests: number,
  ms: [number, number],
): GroupError {
  const [measuredMs, predictedMs] = ms;
  const errorPercent = (predictedMs / measuredMs - 1) * 100;
  return {
    group: from === null ? "unplanned" : `${from} requests/s`,
    metric,
    from,
    numRequests,
    measuredMs,
    predictedMs,
    errorPercent,
    mapePercent: Math.abs(errorPercent) + 1,
  };
}

const slow: ErrorBreakdown = {
  by: "load",
  groups: [
    groupError(2, "e2eMs", 100, [100, 110]),
    groupError(2, "ttftMs", 50, [10, 9]),
    groupError(8, "e2eMs", 10, [200, 200]),
  ],
};
const fast: ErrorBreakdown = {
  by: "load",
  groups: [groupError(1, "e2eMs", 7, [50, 51]), groupError(2, "e2eMs", 300, [60, 57])],
};

describe("errors by group over several runs", () => {
  it("are those of all their requests together, ascending, each metric for itself", () => {
    const { by, groups } = combinedBreakdown([slow, fast])!;
    expect(by).toBe("load");
    expect(groups.map(({ group, metric, numRuns, numRequests }) => [group, metric, numRuns, numRequests])).toEqual([
      ["1 requests/s", "e2eMs", 1, 7],
      ["2 requests/s", "e2eMs", 2, 400],
      ["2 requests/s", "ttftMs", 1, 50],
      ["8 requests/s", "e2eMs", 1, 10],
    ]);
    expect(groups[1]).toMatchObject({ measuredMs: (100 * 100 + 300 * 60) / 400, predictedMs: (11_000 + 17_100) / 400 });
    expect(groups[1]!.errorPercent).toBeCloseTo((28_100 / 28_000 - 1) * 100, 9);
    expect(groups[1]!.mapePercent).toBeCloseTo((100 * 11 + 300 * 6) / 400, 9);
  });

  it("do not let one run's error hide another's: the mean over runs is of what each is off", () => {
    expect(combinedBreakdown([slow, fast])!.groups[1]!.meanApe).toBeCloseTo((10 + 5) / 2, 9);
  });

  it("are the run's own where there is one", () => {
    for (const [i, group] of combinedBreakdown([slow])!.groups.entries()) {
      const { measuredMs, predictedMs, mapePercent, ...same } = slow.groups[i]!;
      expect(group).toMatchObject({ ...same, numRuns: 1, errorPercent: expect.closeTo(same.errorPercent!, 9) });
      expect([group.measuredMs, group.predictedMs, group.mapePercent]).toEqual([measuredMs, predictedMs, mapePercent]);
    }
  });

  it("put groups without a number last, and leave out runs without requests in a group", () => {
    const none: GroupError = {
      ...groupError(8, "e2eMs", 0, [1, 1]),
      measuredMs: null,
      predictedMs: null,
      errorPercent: null,
      mapePercent: null,
    };
    const other: ErrorBreakdown = { by: "load", groups: [groupError(null, "e2eMs", 3, [1, 2]), none] };
    const { groups } = combinedBreakdown([other, slow])!;
    expect(groups.map(({ group }) => group)).toEqual(["2 requests/s", "2 requests/s", "8 requests/s", "unplanned"]);
    expect(groups[2]).toMatchObject({ numRuns: 1, numRequests: 10, measuredMs: 200 });
    expect(combinedBreakdown([{ by: "load", groups: [none] }])!.groups[0]).toMatchObject({
      numRuns: 0,
      measuredMs: null,
      errorPercent: null,
      meanApe: null,
    });
    expect(combinedBreakdown([])).toBeNull();
  });
});
