import { describe, expect, it } from "vitest";
import { sweepTable } from "../../../src/cli/sweepTable.js";
import { runSweep, type SweepSeries } from "../../../src/core/analysis/sweep/runSweep.js";
import { sweepResult } from "../../../src/core/analysis/sweep/sweepResult.js";
import type { SweepRun } from "../../../src/core/analysis/sweep/sweepRun.js";
import type { SweepTask } from "../../../src/core/analysis/sweep/sweepTask.js";
import { smallConfig, smallRates, smallSweep, someRun } from "../core/analysis/sweep/smallSweep.js";

const { ttftMs, e2eMs, throughput } = someRun();

/** A run of these latencies whose server keeps up for 1,000 s. */
function runOf(meanMs: number, perS: number, changes: Partial<SweepRun> = {}): SweepRun {
  const latencies = { ttftMs: { ...ttftMs, p99: meanMs }, e2eMs: { ...e2eMs, mean: meanMs } };
  return someRun({ ...latencies, throughput: { ...throughput, requestsPerS: perS }, arrivalSpanS: 1000, ...changes });
}

/** What is printed of servers whose tasks end so. */
async function tableOf(
  series: readonly SweepSeries[],
  outcome: (task: SweepTask) => SweepRun | string,
  workload: string | null = null,
): Promise<string> {
  const sweep = smallSweep({ series });
  const points = await runSweep(sweep, async (task) => {
    const run = outcome(task);
    return typeof run === "string" ? { failure: { code: "config", message: run } } : { run };
  });
  return sweepTable(sweepResult(sweep, { axes: [], rates: null, guidellmSize: null, seeds: [42] }, points), workload);
}

const rateOf = ({ config: { workload } }: SweepTask): number =>
  "rate" in workload.profile ? workload.profile.rate : 0;
const server = (label: string, ...rates: number[]): SweepSeries => ({
  label,
  varied: label === "" ? {} : { label },
  configs: smallRates(...rates),
});
const two = [server("slow", 2, 4, 8), server("fast", 2, 4, 8)];
const lines = (table: string, pattern: RegExp) => table.split("\n").filter((line) => pattern.test(line));

describe("the bars of a sweep's table", () => {
  it("have one scale for all servers, whose ends are said once", async () => {
    const table = await tableOf(two, (task) =>
      runOf(task.point.label.startsWith("slow") ? 800 : 400, rateOf(task) / (task.point.index < 3 ? 2 : 1)),
    );
    expect(lines(table, /^E2E mean /)).toEqual(["E2E mean ███", "E2E mean ▄▄▄"]);
    expect(lines(table, /^req\/s +[▁-█]/)).toEqual(["req/s    ▁▂▄", "req/s    ▂▄█"]);
    expect(lines(table, /^slow .*[▁-█]/)[0]).toMatch(/███ +▁▂▄$/);
    expect(lines(table, /^bars: /)).toEqual([
      "bars: TTFT p99 from 0 to 800 ms, E2E mean from 0 to 800 ms, req/s from 0 to 8.00",
    ]);
  });

  it("are logarithmic where a scale from 0 would show most values as its lowest bar", async () => {
    const table = await tableOf([server("", 2, 4, 8)], (task) => runOf(rateOf(task) === 8 ? 80_000 : 800, 2));
    expect(lines(table, /^E2E mean /)).toEqual(["E2E mean ▁▁█"]);
    expect(lines(table, /^bars: /)).toEqual([
      "bars: TTFT p99 from 800 ms to 80.0 s (log), E2E mean from 800 ms to 80.0 s (log), req/s from 0 to 2.00",
    ]);
    const middle = await tableOf([server("", 2, 4, 8)], (task) => runOf([800, 8000, 80_000][task.point.index]!, 2));
    expect(lines(middle, /^E2E mean /)).toEqual(["E2E mean ▁▄█"]);
  });

  it("have no scale where there are none", async () => {
    expect(await tableOf([server("", 2, 4)], () => runOf(800, 2))).not.toContain("bars");
    expect(await tableOf(two, () => "no room")).not.toContain("bars");
  });
});

describe("the heading of a sweep's table", () => {
  it("names the workload, where it has a name", async () => {
    expect(await tableOf([server("", 2)], () => runOf(800, 2), "agent")).toMatch(/^.*, vLLM \S+, workload agent\n/);
    expect(await tableOf([server("", 2)], () => runOf(800, 2))).toMatch(/^.*, vLLM [\d.]+\n/);
  });
});

describe("loads of a server that fail", () => {
  it("are told once for each reason, with their number", async () => {
    const all = await tableOf([server("", 2, 4, 8)], () => "no room");
    expect(lines(all, /no room/)).toEqual(["all 3 loads: no room"]);
    const some = await tableOf([server("", 2, 4, 8)], (task) => (rateOf(task) > 2 ? "no room" : runOf(800, 2)));
    expect(lines(some, /no room/)).toEqual(["2 of 3 loads (poisson 4/s, poisson 8/s): no room"]);
    const one = await tableOf([server("", 2, 4)], (task) => (rateOf(task) > 2 ? "no room" : runOf(800, 2)));
    expect(lines(one, /no room/)).toEqual(["poisson 4/s: no room"]);
  });
});

describe("the rows of a sweep's table", () => {
  const DRAIN = "req/s also counts the time in which the last requests end";

  it("say why a server that keeps up serves less than it is offered, only there", async () => {
    // 1,000 s of arrivals at 2/s; a mean latency of 250 s drains after them.
    const requests = { ...someRun().requests, submitted: 2000, completed: 2000 };
    const drained = (perS: number, latencyMs: number) =>
      tableOf([server("", 2)], () => runOf(latencyMs, perS, { requests, arrivalSpanS: 1000 }));
    expect(await drained(1.6, 250_000)).toContain(DRAIN);
    expect(await drained(2, 250)).not.toContain(DRAIN);
    // Fallen behind, which it has to be told.
    expect(await drained(1.6, 250)).not.toContain(DRAIN);
  });

  it("count one stream as one", async () => {
    const configs = [1, 2].map((streams) => smallConfig({ kind: "concurrent", streams }));
    const table = await tableOf([{ label: "", varied: {}, configs }], () => runOf(800, 2));
    expect(lines(table, /^\d stream/).map((line) => line.split(/ {2,}/)[0])).toEqual(["1 stream", "2 streams"]);
  });
});
