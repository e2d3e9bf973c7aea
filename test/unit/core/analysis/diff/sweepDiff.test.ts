import { beforeAll, describe, expect, it } from "vitest";
import { type ComparedSweep, sweepDiff } from "../../../../../src/core/analysis/diff/sweepDiff.js";
import { runSweep } from "../../../../../src/core/analysis/sweep/runSweep.js";
import type { MeasuredPoint, PointResult } from "../../../../../src/core/analysis/sweep/sweepPoint.js";
import { sweepConfig } from "../../../../../src/core/analysis/sweep/sweepResult.js";
import { ROOFSERVE_VERSION } from "../../../../../src/core/engine/version.js";
import { tInterval } from "../../../../../src/core/metrics/tInterval.js";
import { simulateHere, smallConfig, smallSweep } from "../sweep/smallSweep.js";

async function comparedSweep(
  name: string,
  engine: object = {},
  rates = [2, 40],
  seeds = [1, 2, 3],
): Promise<ComparedSweep> {
  const configs = rates.map((rate) => smallConfig({ kind: "poisson", rate }, { engine }));
  const sweep = smallSweep({ series: [{ label: "", varied: {}, configs }], seeds });
  const points: readonly PointResult[] = await runSweep(sweep, simulateHere);
  const grid = { axes: [], rates, guidellmSize: null, seeds };
  return { name, sweep: { version: ROOFSERVE_VERSION, config: sweepConfig(sweep), grid, points } };
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
    expect(new Set(metrics.map(({ verdict }) => verdict))).toEqual(new Set(["none"]));
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
    expect(ttft[1]).toMatchObject({ verdict: "change" });
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
    expect(diff).toMatchObject({
      onlyA: [{ label: "poisson 2/s" }],
      onlyB: [{ label: "poisson 50/s" }],
      isIdentical: false,
    });
    expect(diff.points.map(({ rate }) => rate)).toEqual([40]);
  });
});

describe("the seeds of two sweeps", () => {
  const e2eOf = (a: ComparedSweep, b: ComparedSweep) =>
    sweepDiff(a, b).points.map(({ metrics }) => metrics.find(({ name }) => name === "e2eMs.mean")!);

  it("are listed where they differ, and then every change is chance", async () => {
    const [a, b] = [await comparedSweep("a", {}, [2], [42]), await comparedSweep("b", {}, [2], [7])];
    const diff = sweepDiff(a, b);
    expect(diff).toMatchObject({ config: [{ path: "seeds", before: [42], after: [7] }], isIdentical: false });
    expect(diff.seeds).toEqual({ a: [42], b: [7], isSameRequests: false, method: null });
    expect(diff.notes).toEqual(["only the seeds differ: all changes are chance"]);
    expect(e2eOf(a, b)).toMatchObject([{ verdict: "unknown" }]);
  });

  it("are compared one by one where they are the same: as the change of each seed says", async () => {
    const [a, b] = [await comparedSweep("a"), await comparedSweep("b", { maxNumSeqs: 3 })];
    const ofSeeds = await Promise.all(
      [1, 2, 3].map(async (seed) => {
        const sides = [
          await comparedSweep("a", {}, [40], [seed]),
          await comparedSweep("b", { maxNumSeqs: 3 }, [40], [seed]),
        ];
        return e2eOf(sides[0]!, sides[1]!)[0]!.change;
      }),
    );
    expect(sweepDiff(a, b).seeds).toMatchObject({ isSameRequests: true, method: "paired" });
    const paired = e2eOf(a, b)[1]!;
    const expected = tInterval(ofSeeds)!;
    expect(paired.interval?.low).toBeCloseTo(expected.low, 9);
    expect(paired.interval?.high).toBeCloseTo(expected.high, 9);
  });

  it("tell a change that both sides' spread hides, and not without their values, which is said", async () => {
    const a = await comparedSweep("a");
    const slower = (point: PointResult): PointResult => {
      const { seedValues, seedIntervals, e2eMs, ...rest } = point as MeasuredPoint;
      const values = seedValues!["e2eMs.mean"].map((ms, seed) => ms! + 0.01 + 0.001 * seed);
      const mean = tInterval(values)!;
      const intervals = { ...seedIntervals!.intervals, e2eMs: { ...seedIntervals!.intervals.e2eMs, mean } };
      return {
        ...rest,
        e2eMs: { ...e2eMs, mean: values.reduce((sum, ms) => sum + ms, 0) / values.length },
        seedValues: { ...seedValues!, "e2eMs.mean": values },
        seedIntervals: { ...seedIntervals!, intervals },
      };
    };
    const b: ComparedSweep = { name: "b", sweep: { ...a.sweep, points: a.sweep.points.map(slower) } };
    expect(e2eOf(a, b).map(({ verdict }) => verdict)).toEqual(["change", "change"]);
    const older = ({ name, sweep }: ComparedSweep): ComparedSweep => ({
      name,
      sweep: { ...sweep, points: sweep.points.map((point) => ({ ...point, seedValues: null }) as MeasuredPoint) },
    });
    const diff = sweepDiff(older(a), b);
    expect(diff.seeds).toMatchObject({ isSameRequests: true, method: "unpaired" });
    expect(diff.notes).toEqual([expect.stringContaining("before the numbers of each seed were kept")]);
    expect(e2eOf(older(a), b).map(({ verdict }) => verdict)).toEqual(["chance", "chance"]);
  });

  it("do not make requests the same where the workloads differ", async () => {
    const a = await comparedSweep("a", {}, [2]);
    const workload = { ...(a.sweep.config as { workload: object }).workload, maxRequests: 13 };
    const b = { name: "b", sweep: { ...a.sweep, config: { ...a.sweep.config, workload } } };
    expect(sweepDiff(a, b).seeds.isSameRequests).toBe(false);
  });
});

function reversed({ sweep }: ComparedSweep): ComparedSweep["sweep"] {
  return { ...sweep, points: [...sweep.points].reverse() };
}
