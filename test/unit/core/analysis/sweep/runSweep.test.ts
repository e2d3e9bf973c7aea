import { describe, expect, it } from "vitest";
import { numPoints, runSweep } from "../../../../../src/core/analysis/sweep/runSweep.js";
import { seriesSaturation } from "../../../../../src/core/analysis/sweep/saturation.js";
import { sweepFailure } from "../../../../../src/core/analysis/sweep/sweepFailure.js";
import { isMeasured, type MeasuredPoint, type PointResult } from "../../../../../src/core/analysis/sweep/sweepPoint.js";
import { sweepResult } from "../../../../../src/core/analysis/sweep/sweepResult.js";
import type { RunTask, SweepTask } from "../../../../../src/core/analysis/sweep/sweepTask.js";
import { loadWorkloadPreset } from "../../../../../src/io/workloadPresets.js";
import { simulateHere, smallConfig, smallRates, smallSweep, someRun } from "./smallSweep.js";

const measured = (points: readonly PointResult[]): MeasuredPoint[] => points.filter(isMeasured);

describe("runSweep", () => {
  it("gives the same points in the same order whichever task ends first", async () => {
    const sweep = smallSweep({ series: [{ label: "", varied: {}, configs: smallRates(2, 4, 8) }], seeds: [42, 7] });
    const inTurn = await runSweep(sweep, simulateHere);
    let delay = 6;
    const backwards = await runSweep(sweep, async (task) => {
      const wait = delay--;
      for (let i = 0; i < wait; i++) await new Promise((resolve) => setImmediate(resolve));
      return simulateHere(task);
    });
    expect(JSON.stringify(backwards)).toBe(JSON.stringify(inTurn));
    expect(inTurn.map(({ label, index }) => [label, index])).toEqual([
      ["poisson 2/s", 0],
      ["poisson 4/s", 1],
      ["poisson 8/s", 2],
    ]);
  });

  it("gives every point the same seeds", async () => {
    const seeds = new Map<string, number[]>();
    await runSweep(smallSweep({ seeds: [42, 7, 9] }), (task) => {
      seeds.set(task.point.label, [...(seeds.get(task.point.label) ?? []), task.config.seed]);
      return simulateHere(task);
    });
    expect([...seeds.values()]).toEqual([
      [42, 7, 9],
      [42, 7, 9],
    ]);
  });

  it("reports a point that fails and keeps the others", async () => {
    const points = await runSweep(smallSweep(), async (task) =>
      task.point.index === 0 ? { failure: { code: "capacity", message: "no room" } } : simulateHere(task),
    );
    expect(points[0]).toMatchObject({ error: "no room", errorCode: "capacity", rate: 2 });
    expect(points[1]).toMatchObject({ error: null, rate: 4, requests: { completed: 12 } });
    expect(sweepFailure(points)).toBeNull();
  });

  it("says which seed failed, where others did not", async () => {
    const points = await runSweep(smallSweep({ seeds: [1, 2] }), async (task) =>
      task.config.seed === 2 ? { failure: { code: "config", message: "bad" } } : simulateHere(task),
    );
    expect(points[0]?.error).toBe("seed 2: bad");
  });

  it("fails as a whole when every point does, and for a bug in any", async () => {
    const failing = (code: "capacity" | "invariant", only: number | null) => (task: SweepTask) =>
      only === null || task.point.index === only
        ? Promise.resolve({ failure: { code, message: "why" } })
        : simulateHere(task);
    expect(sweepFailure(await runSweep(smallSweep(), failing("capacity", null)))).toMatchObject({ code: "capacity" });
    expect(sweepFailure(await runSweep(smallSweep(), failing("invariant", 1)))).toMatchObject({ code: "invariant" });
  });
});

/** Serves 4 requests/s when all are sent at once, and constant rates up to `mostPerS`. @param spanS of the arrivals, at 1 s of latency */
function serverThatCarries(mostPerS: number, spanS = 100): RunTask {
  const { e2eMs, regime, requests } = someRun();
  return async ({ config: { workload } }) => {
    const { profile } = workload;
    const perS = "rate" in profile ? profile.rate : profile.kind === "throughput" ? 4 : 1;
    const submitted = Math.round(perS * spanS);
    const changes = {
      arrivalSpanS: spanS,
      e2eMs: { ...e2eMs, mean: 1000 },
      requests: { ...requests, submitted, completed: submitted },
      regime: { ...regime, label: perS > mostPerS ? ("past" as const) : ("below" as const) },
      throughput: { requestsPerS: Math.min(perS, mostPerS), promptTokensPerS: 1, outputTokensPerS: 1 },
    };
    return { run: someRun(changes) };
  };
}

describe("GuideLLM's sweep profile", () => {
  const sweep = smallSweep({ series: [{ label: "tp=1", varied: {}, configs: [smallConfig()] }], guidellmSize: 5 });

  it("runs constant rates between what its first two benchmarks reached", async () => {
    const points = measured(await runSweep(sweep, simulateHere));
    expect(numPoints(sweep)).toBe(7);
    expect(points.map(({ strategy }) => strategy)).toEqual(["synchronous", "throughput", ...Array(5).fill("constant")]);
    const [synchronousPerS, throughputPerS] = points.map(({ throughput }) => throughput.requestsPerS as number);
    const step = (throughputPerS! - synchronousPerS!) / 3;
    expect(points[2]?.rate).toBeCloseTo(synchronousPerS! + step, 9);
    expect(points[4]?.rate).toBe(throughputPerS);
  });

  it("goes on beyond the throughput rate, and says that these points are no part of the profile", async () => {
    const points = measured(await runSweep(sweep, simulateHere));
    const throughputPerS = points[1]?.throughput.requestsPerS as number;
    expect(points.map(({ isProbe }) => isProbe)).toEqual([false, false, false, false, false, true, true]);
    expect(points.slice(5).map(({ rate }) => rate)).toEqual([1.15 * throughputPerS, 1.4 * throughputPerS]);
  });

  it("counts in sessions where they ask several times, so that its rates are what the server can start", async () => {
    const data = {
      kind: "lengths",
      prompt: { kind: "fixed", tokens: 60 },
      output: { kind: "fixed", tokens: 4 },
      session: { turns: { kind: "fixed", tokens: 5 }, think: { kind: "fixed", seconds: 0.1 } },
    };
    const config = smallConfig(
      {},
      { workload: { profile: { kind: "synchronous" }, data, maxRequests: 300 }, engine: { maxNumSeqs: 2 } },
    );
    const series = [{ label: "", varied: {}, configs: [config] }];
    const points = measured(await runSweep(smallSweep({ series, guidellmSize: 4 }), simulateHere));
    const throughputPerS = points[1]?.throughput.requestsPerS as number;
    expect(points[3]?.rate).toBe(throughputPerS / 5);
    const { unit, finding } = seriesSaturation({ label: "", varied: {}, hasSessions: true }, 0, points);
    expect(unit).toBe("sessionsPerS");
    expect(finding).toMatch(
      /^Carries [\d.]+ sessions\/s, not [\d.]+ sessions\/s: throughput levels off at [\d.]+ requests\/s/,
    );
  });

  it.each(["chat", "code"])("brackets the knee of a preset where GuideLLM would have ended: %s", async (name) => {
    const config = smallConfig(
      {},
      { workload: { ...loadWorkloadPreset(name), maxRequests: 600 }, engine: { maxNumSeqs: 16 } },
    );
    const full = smallSweep({ series: [{ label: "", varied: {}, configs: [config] }], guidellmSize: 4 });
    const points = await runSweep(full, simulateHere);
    const found = (some: readonly PointResult[]) =>
      seriesSaturation({ label: "", varied: {}, hasSessions: false }, 0, some);
    const throughputPerS = measured(points)[1]?.throughput.requestsPerS as number;
    expect(found(points.slice(0, 4)).saturates).toBe(false);
    expect(found(points).sustainedLoad).toBeGreaterThanOrEqual(throughputPerS);
    expect(found(points).saturatedLoad).toBeLessThan(1.5 * throughputPerS);
  });

  it.each([
    // Each of a server that carries so many requests/s; the probes end at 5.6.
    [5, [4.6, 5.6]],
    [6, [4.6, 5.6, 6.72, 8.064]],
    [9, [4.6, 5.6, 6.72, 8.064, 9.6768, 11.61216]],
    [1000, [4.6, 5.6, 6.72, 8.064, 9.6768, 11.61216, 13.934592, 16.7215104]],
  ])("goes further where the throughput run carries 4 requests/s and constant rates up to %s", async (most, probes) => {
    let numFurther = 0;
    const listener = { onFurther: (numPoints: number) => (numFurther += numPoints) };
    const twice = { ...sweep, series: [sweep.series[0]!, { ...sweep.series[0]!, label: "tp=2" }] };
    const points = await runSweep(twice, serverThatCarries(most), listener);
    for (const series of [0, 1]) {
      const own = points.filter((point) => point.series === series);
      expect(own.slice(5).map(({ rate }) => rate)).toEqual(probes.map((rate) => expect.closeTo(rate, 9)));
      expect(own.slice(5).every(({ isProbe }) => isProbe)).toBe(true);
      expect(own.map(({ benchmarkIndex }) => benchmarkIndex)).toEqual(own.map((_, i) => i));
      const { saturates } = seriesSaturation({ label: "", varied: {}, hasSessions: false }, 0, own);
      expect(saturates).toBe(most < 1000);
    }
    expect(numPoints(twice) + numFurther).toBe(points.length);
    expect(new Set(points.map(({ index }) => index)).size).toBe(points.length);
    // Those that every sweep has keep their places.
    expect(points.filter(({ index }) => index < 14).map(({ index }) => index)).toEqual([...Array(14).keys()]);
  });

  it("does not go further where its runs are too short to tell", async () => {
    const short = serverThatCarries(1000, 2);
    expect(await runSweep(sweep, short)).toHaveLength(numPoints(sweep));
  });

  it("draws other lengths in each benchmark, as GuideLLM does, and meets each with a cold prefix", async () => {
    const points = measured(await runSweep(sweep, simulateHere));
    expect(points.map(({ benchmarkIndex }) => benchmarkIndex)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    const tokensPerRequest = points.map(({ throughput }) => throughput.promptTokensPerS! / throughput.requestsPerS!);
    expect(new Set(tokensPerRequest.map((tokens) => tokens.toFixed(3))).size).toBe(7);
    // Eleven of twelve requests find the 160 tokens that all share; the first of each benchmark does not.
    points.forEach(({ engine }, i) => {
      expect(engine.prefixCacheHitFraction).toBeCloseTo((11 * 160) / (12 * tokensPerRequest[i]!), 9);
    });
  });

  it("ends after a calibration that served nothing", async () => {
    const points = await runSweep(sweep, async () => ({ failure: { code: "config", message: "no" } }));
    expect(points).toHaveLength(2);
  });

  it("leaves its loads out of the common config, which its calibration makes", async () => {
    const grid = { axes: [], rates: null, guidellmSize: 5, seeds: [42] };
    const { config } = sweepResult(sweep, grid, await runSweep(sweep, simulateHere));
    expect(config).not.toHaveProperty("seed");
    expect(config).not.toHaveProperty("workload.profile");
    expect(config).toHaveProperty("workload.data.promptTokens", 200);
  });
});
