import { readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import type { Sweep } from "../../../../src/core/analysis/sweep/runSweep.js";
import { runSweep } from "../../../../src/core/analysis/sweep/runSweep.js";
import type { PointResult } from "../../../../src/core/analysis/sweep/sweepPoint.js";
import { sweepResult } from "../../../../src/core/analysis/sweep/sweepResult.js";
import { readGuidellmReport } from "../../../../src/io/guidellm/guidellmReport.js";
import { executeSweep } from "../../../../src/io/sweep/executeSweep.js";
import { sweepJson } from "../../../../src/io/sweep/sweepText.js";
import { writeSweepOutputs } from "../../../../src/io/sweep/writeSweepOutputs.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";
import { simulateHere, smallConfig, smallRates, smallSweep } from "../../core/analysis/sweep/smallSweep.js";

const { folder: root } = temporaryFolder();

const tooSmall = smallConfig({ kind: "poisson", rate: 2 }, { engine: { numGpuBlocksOverride: 2 } });
const sweep: Sweep = smallSweep({
  series: [
    { label: "blocks=null", varied: { "engine.numGpuBlocksOverride": null }, configs: smallRates(2, 4) },
    { label: "blocks=2", varied: { "engine.numGpuBlocksOverride": 2 }, configs: [tooSmall] },
  ],
  seeds: [42, 1042],
});
const axes = [{ path: "engine.numGpuBlocksOverride", values: [null, 2] }];
const grid = { axes, rates: [2, 4], guidellmSize: null, seeds: sweep.seeds };

async function execute(numWorkers: number, folder: string | null, asked: Sweep = sweep) {
  const simulated: boolean[] = [];
  const running = executeSweep(asked, grid, {
    numWorkers,
    folder,
    startOver: false,
    onRun: (isNew) => simulated.push(isNew),
  });
  try {
    const result = await running.result;
    const { benchmarkPieces: pieces, numNotAsked } = running;
    return { result, pieces, numNotAsked: numNotAsked(), numSimulated: simulated.filter(Boolean).length };
  } finally {
    await running.release();
  }
}

describe("a sweep on worker threads", () => {
  it("has the result of this process, byte for byte, with one worker and with two, and repeats no finished run", async () => {
    const folder = join(root, "resumed");
    const one = await execute(1, null);
    const two = await execute(2, folder);
    const again = await execute(1, folder);
    expect(sweepJson(two.result)).toBe(sweepJson(one.result));
    expect(sweepJson(again.result)).toBe(sweepJson(one.result));
    expect([one, two, again].map(({ numSimulated }) => numSimulated)).toEqual([6, 6, 0]);
    const here = await runSweep({ ...sweep, series: sweep.series.slice(0, 1) }, simulateHere);
    expect(JSON.stringify(one.result.points.slice(0, 2))).toBe(JSON.stringify(here));
    expect(one.result.points[2]).toMatchObject({ errorCode: "capacity" });
  });

  it("leaves a file for each tool", async () => {
    const folder = join(root, "exports");
    const { result, pieces } = await execute(2, folder);
    const files = writeSweepOutputs(folder, sweep, result, pieces);
    expect(files.map((file) => file.slice(folder.length + 1))).toEqual([
      "sweep.json",
      "points.csv",
      "guidellm-0-blocks-null.json",
    ]);
    expect(readFileSync(files[0]!, "utf8")).toBe(sweepJson(result));
    const rows = parse(readFileSync(files[1]!, "utf8"), { columns: true }) as Record<string, string>[];
    expect(rows.map((row) => [row.rate, row["engine.numGpuBlocksOverride"]])).toEqual([
      ["2", ""],
      ["4", ""],
      ["2", "2"],
    ]);
    expect(rows.map(({ error }) => error)).toEqual(["", "", expect.stringContaining("KV")]);
    const point = result.points[1]!;
    expect(Number(rows[1]?.e2e_ms_mean)).toBeCloseTo(point.error === null ? point.e2eMs.mean! : 0, 6);
    expect(Number(rows[1]?.e2e_ms_mean_low)).toBeLessThan(Number(rows[1]?.e2e_ms_mean_high));

    const report = readGuidellmReport(files[2]!);
    expect(report.benchmarks.map(({ strategy }) => strategy.requestsPerS)).toEqual([2, 4]);
    expect(report.benchmarks.map(({ records }) => records.length)).toEqual([12, 12]);
    expect(report.benchmarks[0]?.prefixTokens).toBe(160);
    const bench = readdirSync(join(folder, "vllm-bench")).map((name) =>
      JSON.parse(readFileSync(join(folder, "vllm-bench", name), "utf8")),
    );
    expect(bench.map((one) => [one.request_rate, one.completed])).toEqual([
      [2, 12],
      [4, 12],
    ]);
  });

  it("keeps the pieces of a GuideLLM file for when a point that failed has worked", async () => {
    const folder = join(root, "failed");
    const one = { ...sweep, series: sweep.series.slice(0, 1) };
    const { result, pieces } = await execute(1, folder, one);
    const whole = writeSweepOutputs(folder, one, result, pieces);
    const text = readFileSync(whole[2]!, "utf8");
    const failed: PointResult = { ...result.points[1]!, error: "no memory", errorCode: "invariant" };
    const partly = { ...result, points: [result.points[0]!, failed] };
    writeSweepOutputs(folder, one, partly, pieces);
    const rates = () => readGuidellmReport(whole[2]!).benchmarks.map(({ strategy }) => strategy.requestsPerS);
    expect(rates()).toEqual([2]);
    writeSweepOutputs(folder, one, result, pieces);
    expect(rates()).toEqual([2, 4]);
    expect(readFileSync(whole[2]!, "utf8")).toBe(text);
  });

  it("grows by loads, servers and seeds, runs only what is new, and ends as if it had been asked for at once", async () => {
    const folder = join(root, "grown");
    const small = { ...sweep, series: [{ ...sweep.series[0]!, configs: smallRates(2, 4) }], seeds: [42] };
    const more = [{ ...sweep.series[0]!, configs: smallRates(1, 2, 4) }, sweep.series[1]!];
    const large = { ...sweep, series: more, seeds: [42, 1042] };
    const before = await execute(2, folder, small);
    const outputs = writeSweepOutputs(folder, small, before.result, before.pieces);
    const texts = outputs.map((file) => readFileSync(file, "utf8"));
    const grown = await execute(2, folder, large);
    expect([before.numSimulated, grown.numSimulated, grown.numNotAsked]).toEqual([2, 6, 0]);
    const fresh = join(root, "at-once");
    const atOnce = await execute(2, fresh, large);
    expect(sweepJson(grown.result)).toBe(sweepJson(atOnce.result));
    const files = (place: string, { result, pieces }: typeof grown) =>
      writeSweepOutputs(place, large, result, pieces).map((file) => [basename(file), readFileSync(file, "utf8")]);
    expect(files(folder, grown)).toEqual(files(fresh, atOnce));
    expect(readdirSync(folder).sort()).toEqual(readdirSync(fresh).sort());
    expect(readdirSync(join(folder, "vllm-bench"))).toEqual(readdirSync(join(fresh, "vllm-bench")));
    // And back: what is no longer asked for is kept.
    const back = await execute(1, folder, small);
    expect([back.numSimulated, back.numNotAsked]).toEqual([0, 6]);
    const again = writeSweepOutputs(folder, small, back.result, back.pieces);
    expect(again.map((file) => readFileSync(file, "utf8"))).toEqual(texts);
    expect((await execute(1, folder, large)).numSimulated).toBe(0);
  });

  it("runs a point again, and keeps one line of it, where its files are gone", async () => {
    const folder = join(root, "gone");
    const one = { ...sweep, series: sweep.series.slice(0, 1) };
    const { result, pieces } = await execute(1, folder, one);
    const [, report] = [0, 2].map((i) => writeSweepOutputs(folder, one, result, pieces)[i]!);
    const text = readFileSync(report!, "utf8");
    const lines = readFileSync(join(folder, "runs.jsonl"), "utf8");
    rmSync(pieces.get(1)!);
    const again = await execute(1, folder, one);
    expect(again.numSimulated).toBe(1);
    expect(readFileSync(join(folder, "runs.jsonl"), "utf8")).toBe(lines);
    writeSweepOutputs(folder, one, again.result, again.pieces);
    expect(readFileSync(report!, "utf8")).toBe(text);
  });

  it("says once what all points have in common", async () => {
    const points = await runSweep(smallSweep(), simulateHere);
    const { config, notes } = sweepResult(smallSweep(), { ...grid, axes: [] }, points);
    expect(config).toHaveProperty("workload.maxRequests", 12);
    expect(config).not.toHaveProperty("workload.profile.rate");
    expect(notes).toEqual([]);
  });
});
