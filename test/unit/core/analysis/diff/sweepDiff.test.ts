import { beforeAll, describe, expect, it } from "vitest";
import { type ComparedSweep, sweepDiff } from "../../../../../src/core/analysis/diff/sweepDiff.js";
import { runSweep } from "../../../../../src/core/analysis/sweep/runSweep.js";
import type { PointResult } from "../../../../../src/core/analysis/sweep/sweepPoint.js";
import { sweepConfig } from "../../../../../src/core/analysis/sweep/sweepResult.js";
import { ROOFSERVE_VERSION } from "../../../../../src/core/engine/version.js";
import { simulateHere, smallConfig, smallSweep } from "../sweep/smallSweep.js";

async function comparedSweep(name: string, engine: object = {}, rates = [2, 40]): Promise<ComparedSweep> {
  const configs = rates.map((rate) => smallConfig({ kind: "poisson", rate }, { engine }));
  const sweep = smallSweep({ series: [{ label: "", varied: {}, configs }], seeds: [1, 2, 3] });
  const points: readonly PointResult[] = await runSweep(sweep, simulateHere);
  return { name, sweep: { version: ROOFSERVE_VERSION, config: sweepConfig(sweep), points } };
}

describe("two sweeps", () => {
  let base: ComparedSweep;
  let oneAtATime: ComparedSweep;
  beforeAll(async () => {
    base = await comparedSweep("base");
    oneAtATime = await comparedSweep("one at a time", { maxNumSeqs: 1 });
  });

  it("are the same where they are the same", () => {
    const diff = sweepDiff(base, { ...base, name: "copy" });
    expect(diff).toMatchObject({ isIdentical: true, config: [], onlyA: [], onlyB: [], notes: [] });
    expect(diff.points).toHaveLength(2);
    const metrics = diff.points.flatMap((point) => point.metrics);
    expect(new Set(metrics.map(({ change }) => change))).toEqual(new Set([0]));
    expect(new Set(metrics.map(({ isApart }) => isApart))).toEqual(new Set([false, null]));
  });

  it("give the same changes with the other sign when they change places", () => {
    const changes = (a: ComparedSweep, b: ComparedSweep) =>
      sweepDiff(a, b).points.map(({ metrics }) => metrics.map(({ name, change }) => [name, change] as const));
    const [forth, back] = [changes(base, oneAtATime), changes(oneAtATime, base)];
    forth.forEach((metrics, point) => {
      const other = new Map(back[point]);
      for (const [name, change] of metrics) expect(other.get(name), name).toBe(change === null ? null : 0 - change);
    });
  });

  it("show a planted change as more than chance where it is large, and pair points by their load", () => {
    const { config, points } = sweepDiff(base, { ...oneAtATime, sweep: reversed(oneAtATime) });
    expect(config).toEqual([{ path: "engine.maxNumSeqs", before: null, after: 1 }]);
    const ttft = points.map(({ metrics }) => metrics.find(({ name }) => name === "ttftMs.mean"));
    expect(ttft[1]).toMatchObject({ isApart: true });
    expect(ttft[1]?.relative).toBeGreaterThan(1);
    expect(ttft[0]?.relative).toBeLessThan(ttft[1]?.relative ?? 0);
    expect(points.map(({ rate }) => rate)).toEqual([2, 40]);
  });

  it("name the points that only one has, or that failed in the other", async () => {
    const more = await comparedSweep("more", {}, [2, 40, 50]);
    const [first] = more.sweep.points as [PointResult];
    const failed = { ...first, error: "no room", errorCode: "capacity" } as PointResult;
    const diff = sweepDiff(base, {
      ...more,
      sweep: { ...more.sweep, points: [failed, ...more.sweep.points.slice(1)] },
    });
    expect(diff).toMatchObject({ onlyA: ["poisson 2/s"], onlyB: ["poisson 50/s"], isIdentical: false });
    expect(diff.points.map(({ rate }) => rate)).toEqual([40]);
  });
});

function reversed({ sweep }: ComparedSweep): ComparedSweep["sweep"] {
  return { ...sweep, points: [...sweep.points].reverse() };
}
