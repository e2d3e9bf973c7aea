import { describe, expect, it } from "vitest";
import { runSweep, type Sweep } from "../../../../src/core/analysis/sweep/runSweep.js";
import { type SweepResult, sweepResult } from "../../../../src/core/analysis/sweep/sweepResult.js";
import type { SweepRun } from "../../../../src/core/analysis/sweep/sweepRun.js";
import type { RunTask } from "../../../../src/core/analysis/sweep/sweepTask.js";
import { parseSlo } from "../../../../src/core/metrics/slo.js";
import { sweepPage } from "../../../../src/io/report/sweepPage.js";
import { serverName, thinned } from "../../../../src/io/report/sweptServers.js";
import type { ReportSection } from "../../../../src/report/reportPage.js";
import { MOST_DRAWN_SERVERS } from "../../../../src/report/sweepSections.js";
import { smallConfig, smallRates, smallSweep, someRun } from "../../core/analysis/sweep/smallSweep.js";

const base = someRun();

/** p99 TTFT is 50 ms times the rate; a server of more sequences serves more. Seeds move both by 1 %. */
function runAt(rate: number, maxNumSeqs: number, seed: number): SweepRun {
  const scale = 1 + (seed % 10) / 100;
  return {
    ...base,
    arrivalSpanS: rate === 11 ? 0 : base.arrivalSpanS,
    ttftMs: { ...base.ttftMs, p99: 50 * rate * scale },
    throughput: { ...base.throughput, requestsPerS: Math.min(rate, maxNumSeqs) * scale },
    regime: { ...base.regime, closedLoop: false, label: rate > 14 ? "past" : "below" },
  };
}

const simulated: RunTask = async ({ config: { workload, engine, seed } }) => {
  const { profile } = workload;
  if ("rate" in profile && profile.rate === 13) return { failure: { code: "capacity", message: "it does not fit" } };
  return { run: runAt("rate" in profile ? profile.rate : 1, engine.maxNumSeqs ?? 8, seed) };
};

async function swept(changes: Partial<Sweep> = {}): Promise<SweepResult> {
  const sweep = smallSweep({ seeds: [1, 2], ...changes });
  const rates = sweep.series[0]!.configs.map(({ workload: { profile } }) => ("rate" in profile ? profile.rate : 0));
  const grid = { axes: [], rates, guidellmSize: null, seeds: sweep.seeds };
  return sweepResult(sweep, grid, await runSweep(sweep, simulated));
}

function pageOf(result: SweepResult, slo: string | null = null) {
  const { sections } = sweepPage({ result, slo: slo === null ? null : parseSlo(slo), title: "t", subtitle: "s" });
  const all = <Kind extends ReportSection["kind"]>(kind: Kind) =>
    sections.filter((one): one is Extract<ReportSection, { kind: Kind }> => one.kind === kind);
  const curves = (id: string) => all("load-curves").find((one) => one.id === id)!;
  return { sections, all, curves };
}

const oneServer = (...rates: readonly number[]) => [{ label: "", varied: {}, configs: smallRates(...rates) }];
const servers = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    label: `maxNumSeqs=${i + 1}`,
    varied: { "engine.maxNumSeqs": i + 1 },
    configs: [4, 8].map((rate) => smallConfig({ kind: "poisson", rate }, { engine: { maxNumSeqs: i + 1 } })),
  }));

describe("the page of a sweep", () => {
  it("says first where each server saturates, in the sweep's own words", async () => {
    const result = await swept({ series: oneServer(2, 4, 8, 16, 20) });
    const { sections, all } = pageOf(result);
    expect(sections[0]?.kind).toBe("sweep-answer");
    const [server] = all("sweep-answer")[0]!.servers;
    expect(server).toMatchObject({ name: "", sustainedLoad: 8, saturatedLoad: 16, slo: null });
    expect(server?.finding).toBe(result.saturation.series[0]?.finding);
  });

  it("draws every number of the points over ascending loads, whatever their order, with the intervals of the seeds", async () => {
    const { curves } = pageOf(await swept({ series: oneServer(16, 4, 8) }));
    const { unit, plots, curves: drawn } = curves("latency");
    expect(unit).toBe("requestsPerS");
    expect(drawn[0]).toMatchObject({ loads: [4, 8, 16], standings: ["below", "below", "past"] });
    const p99 = plots.find(({ title }) => title === "TTFT p99")!;
    expect(p99.values[0]!.map((ms) => Math.round(ms!))).toEqual([203, 406, 812]);
    for (const [i, interval] of p99.intervals![0]!.entries()) {
      expect(interval!.low).toBeLessThan(p99.values[0]![i]!);
      expect(interval!.high).toBeGreaterThan(p99.values[0]![i]!);
    }
    expect(curves("throughput").plots.map(({ hasDiagonal }) => hasDiagonal)).toEqual([true, false]);
  });

  it("draws the band of saturation between what it says is carried and what is not", async () => {
    // Throughput of the server levels off at 8, long before its queue grows at 16.
    const result = await swept({ series: oneServer(4, 8, 12, 16) });
    const { curves, all } = pageOf(result);
    const [server] = all("sweep-answer")[0]!.servers;
    const band = curves("latency").curves[0]!.saturation;
    expect(band).toEqual({ above: server?.sustainedLoad, below: server?.saturatedLoad });
    expect(server?.finding).toContain(`Carries ${band?.above} requests/s, not ${band?.below} requests/s`);
  });

  it("tells points that say nothing apart from those below saturation, in the plots as in the table", async () => {
    const { curves, all } = pageOf(await swept({ series: oneServer(4, 11, 16) }));
    const standings = ["below", "tooShort", "past"];
    expect(curves("latency").curves[0]!.standings).toEqual(standings);
    expect(all("sweep-points")[0]!.points.map(({ standing }) => standing)).toEqual(standings);
  });

  it("says first which of several servers carries most", async () => {
    const result = await swept({ series: servers(2) });
    expect(result.saturation.best).not.toBeNull();
    expect(pageOf(result).all("sweep-answer")[0]!.says[0]).toBe(result.saturation.best?.finding);
  });

  it("has no interval of one seed", async () => {
    const { curves, all } = pageOf(await swept({ series: oneServer(4, 8), seeds: [1] }));
    for (const { intervals } of curves("latency").plots) expect(intervals).toBeNull();
    for (const { latencies } of all("sweep-points")[0]!.points) {
      for (const { interval } of latencies) expect(interval).toBeNull();
    }
  });

  it("draws the SLO where its latency is, adds the numbers it asks for, and says which points keep it", async () => {
    const { curves, all } = pageOf(
      await swept({ series: oneServer(4, 8, 12) }),
      "p99 ttft<=500ms, p95 e2e<=1000s, p95 gap<=1000s",
    );
    const limits = curves("latency").plots.map(({ title, limits }) => [title, limits.map(({ limit }) => limit)]);
    expect(limits).toContainEqual(["TTFT p99", [500]]);
    expect(limits).toContainEqual(["E2E p95", [1_000_000]]);
    expect(limits).toContainEqual(["TTFT p50", []]);
    expect(limits).toContainEqual(["gap p99", []]);
    expect(limits).toContainEqual(["gap p95", [1_000_000]]);
    expect(all("sweep-answer")[0]!.servers[0]!.slo?.keptLoad).toBe(8);
    expect(all("sweep-points")[0]!.points.map(({ keepsSlo }) => keepsSlo)).toEqual([true, true, false]);
  });

  it("lists points that failed with their reason, and draws the others", async () => {
    const { curves, all } = pageOf(await swept({ series: oneServer(4, 13, 8) }));
    expect(all("sweep-points")[0]!.failures).toEqual([{ server: "", loads: ["13/s"], reason: "it does not fit" }]);
    expect(curves("latency").curves[0]!.loads).toEqual([4, 8]);
  });

  it("draws no more servers than there are colours, those that serve most, and tells the numbers of all", async () => {
    const count = MOST_DRAWN_SERVERS + 2;
    const { curves, all } = pageOf(await swept({ series: servers(count) }));
    const drawn = curves("latency").curves.map(({ name }) => name);
    expect(drawn).toEqual(Array.from({ length: MOST_DRAWN_SERVERS }, (_, i) => `maxNumSeqs ${i + 3}`));
    expect(all("load-distributions")[0]!.servers).toHaveLength(MOST_DRAWN_SERVERS);
    expect(all("sweep-points")[0]!.points).toHaveLength(2 * count);
    const { servers: said, says } = all("sweep-answer")[0]!;
    expect(said.map(({ drawnAs }) => drawnAs)).toEqual([null, null, 0, 1, 2, 3, 4, 5, 6, 7]);
    expect(says.join()).toContain(`${MOST_DRAWN_SERVERS} servers that serve most`);
  });

  it("splits the mean step into shares that add up to one", async () => {
    const { all } = pageOf(await swept({ series: oneServer(4, 8) }));
    const { components, servers } = all("load-steps")[0]!;
    for (const { stepUs, fractions } of servers[0]!.loads) {
      expect(stepUs).toBeGreaterThan(0);
      expect(fractions).toHaveLength(components.length);
      expect(fractions.reduce((sum, fraction) => sum + fraction, 0)).toBeCloseTo(1, 6);
    }
  });

  it("draws nothing over loads where no point has one", async () => {
    const configs = [smallConfig({ kind: "synchronous" })];
    const { all } = pageOf(await swept({ series: [{ label: "", varied: {}, configs }] }));
    expect(all("load-curves")).toEqual([]);
    expect(all("sweep-points")[0]!.points.map(({ load }) => load)).toEqual(["synchronous"]);
  });
});

describe("servers and loads of a page", () => {
  it("have names short enough to stand beside a line", () => {
    expect(serverName({ gpu: "H100", "engine.tensorParallelSize": 2, "engine.maxNumSeqs": 64 })).toBe(
      "H100 · TP 2 · maxNumSeqs 64",
    );
  });

  it("are thinned evenly, the ends kept", () => {
    const loads = Array.from({ length: 100 }, (_, i) => i);
    const kept = thinned(loads, 12);
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([12, 0, 99]);
    expect(thinned([1, 2, 3], 12)).toEqual([1, 2, 3]);
  });
});
