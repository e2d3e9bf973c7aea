import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import type { Sweep } from "../../../../src/core/analysis/sweep/runSweep.js";
import { runSweep } from "../../../../src/core/analysis/sweep/runSweep.js";
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

async function execute(numWorkers: number, folder: string | null) {
  const simulated: boolean[] = [];
  const running = executeSweep(sweep, grid, {
    numWorkers,
    folder,
    startOver: false,
    onRun: (isNew) => simulated.push(isNew),
  });
  try {
    return { result: await running.result, numSimulated: simulated.filter(Boolean).length };
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
    const { result } = await execute(2, folder);
    const files = writeSweepOutputs(folder, sweep, result);
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
    // The pieces are in the file, and a sweep that is complete has no need to write it again.
    expect(existsSync(join(folder, "benchmarks"))).toBe(false);
    expect(writeSweepOutputs(folder, sweep, result)).toHaveLength(2);
  });

  it("says once what all points have in common", async () => {
    const points = await runSweep(smallSweep(), simulateHere);
    const { config, notes } = sweepResult(smallSweep(), { ...grid, axes: [] }, points);
    expect(config).toHaveProperty("workload.maxRequests", 12);
    expect(config).not.toHaveProperty("workload.profile.rate");
    expect(notes).toEqual([]);
  });
});
