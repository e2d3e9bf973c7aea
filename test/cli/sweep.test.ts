import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { describe, expect, it, test } from "vitest";
import { z } from "zod";
import { runConfigSchema } from "../../src/core/engine/runConfig.js";
import { sharedFile } from "../reference/sharedFile.js";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { type BadInput, callCli, expectRefusal } from "./cliCall.js";

const { folder } = temporaryFolder();
const SMALL = ["--max-requests", "10", "--data", "prompt_tokens=100,output_tokens=5", "--profile", "poisson"];

describe("roofserve sweep", () => {
  it("runs a grid, keeps its points that cannot work, and says where servers saturate", async () => {
    const out = join(folder, "grid");
    const grid = ["sweep", ...SMALL, "--rate", "1,2:4:2", "--vary", "numGpuBlocksOverride=null,2", "--seeds", "2"];
    const { exitCode, stdout, stderr } = await callCli(...grid, "--out", out, "--format", "json");
    expect(exitCode).toBe(0);
    const result = JSON.parse(stdout);
    expect(result.schema).toBe("roofserve.sweep/1");
    expect(result.grid).toMatchObject({ rates: [1, 2, 4], guidellmSize: null, seeds: [42, 1042] });
    expect(
      result.points.map((point: { rate: number; error: string | null }) => [point.rate, point.error === null]),
    ).toEqual([
      [1, true],
      [2, true],
      [4, true],
      [1, false],
      [2, false],
      [4, false],
    ]);
    expect(stderr).toContain("GuideLLM and vllm-bench files hold the first seed");
    expect(stderr.match(/^\d\/6 numGpuBlocksOverride=2, poisson [124]\/s: failed: none of 10 requests/gm)).toHaveLength(
      1,
    );
    expect(stderr.match(/^\d\/6 numGpuBlocksOverride=2, poisson [124]\/s: failed for the same reason$/gm)).toHaveLength(
      2,
    );
    expect(stderr.match(/^\d\/6 numGpuBlocksOverride=null, poisson [124]\/s(, \d+ s left)?$/gm)).toHaveLength(3);
    expect(result.saturation.series).toHaveLength(2);
    expect(Object.keys(result).sort().join(" ")).toBe("config grid notes points saturation schema version");
    expect(Object.keys(result.points[0]).sort().join(" ")).toBe(
      "arrivalSpanS benchmarkIndex bottleneck e2eMs engine error gapMs index isProbe itlMs keptUpFraction label notes quantiles queueMs " +
        "rate regime requests seedIntervals seedValues seeds series strategy streams throughput tpotMs ttftMs turnsPerStart varied",
    );
    expect(Object.keys(result.saturation.series[0]).sort().join(" ")).toBe(
      "finding label latencyKnee maxThroughput queueKnee saturatedLoad saturates series sustainedLoad throughputKnee tooShortLoad unit varied",
    );
    // What all points share, a point's values and its load make the config of a run.
    const [point] = result.points;
    const config = structuredClone(result.config);
    Object.assign(config.engine, { numGpuBlocksOverride: point.varied["engine.numGpuBlocksOverride"] });
    Object.assign(config.workload.profile, { rate: point.rate });
    expect(runConfigSchema.safeParse(config).success).toBe(true);
    expect(readFileSync(join(out, "sweep.json"), "utf8")).toBe(stdout);
    expect(readdirSync(out).sort()).toEqual([
      "benchmarks",
      "guidellm-0-numGpuBlocksOverride-null.json",
      "manifest.json",
      "points.csv",
      "runs.jsonl",
      "sweep.json",
      "vllm-bench",
    ]);
    const table = await callCli(...grid, "--out", out);
    expect(table.stderr).toContain("found 12 finished runs");
    expect(table.stdout).toMatch(
      /^6 points × 2 seeds, 3 failed: prompts about 100 and outputs about 5 tokens, 10 requests a point$/m,
    );
    expect(table.stdout).toContain("Carries every rate, up to 4 requests/s");
    expect(table.stdout).toMatch(/^all 3 loads: none of 10 requests can be scheduled/m);
    expect(table.stdout).toMatch(/^req\/s {4}[▁-█]{3}$/m);
    const csv = await callCli(...grid, "--out", out, "--format", "csv");
    expect(parse(csv.stdout, { columns: true })).toHaveLength(6);
    expect(csv.stdout).toBe(readFileSync(join(out, "points.csv"), "utf8"));
    const changed = await callCli(...grid, "--out", out, "--max-num-seqs", "9");
    expect(changed).toMatchObject({ exitCode: 2, stdout: "" });
    expect(changed.stderr).toMatch(/--max-num-seqs: got 9; it was default; .*--restart/);
  });

  it("is GuideLLM's sweep profile where nothing says which loads, and its export reads back as that sweep", async () => {
    const out = join(folder, "guidellm");
    const { stdout, stderr } = await callCli(
      "sweep",
      ...SMALL.slice(0, 4),
      "--sweep-size",
      "4",
      "--out",
      out,
      "--format",
      "json",
    );
    // Of one seed, which is the first, there is nothing to tell apart.
    expect(stderr).toContain(`wrote ${join(out, "guidellm.json")}`);
    expect(stderr).not.toContain("first seed");
    const { points, grid } = JSON.parse(stdout);
    expect(grid).toMatchObject({ guidellmSize: 4, rates: null });
    expect(points.map(({ strategy }: { strategy: string }) => strategy)).toEqual([
      "synchronous",
      "throughput",
      ...Array(4).fill("constant"),
    ]);
    expect(points[3].rate).toBeCloseTo(points[1].throughput.requestsPerS, 9);
    const compared = await callCli("sweep", join(out, "guidellm.json"), "--format", "json");
    const [{ rates, benchmarks }] = JSON.parse(compared.stdout).experiments;
    // Its probes are no part of it.
    expect(rates.constantPerS).toHaveLength(2);
    for (const { ape } of [rates.synchronousPerS, rates.throughputPerS, ...rates.constantPerS])
      expect(ape).toBeLessThan(1);
    expect(benchmarks).toHaveLength(4);
    expect(compared.stderr).not.toContain("assumed");
    // A file of GuideLLM has the end of a stream, which comes 0.4 ms after its last token.
    for (const { metrics } of benchmarks) expect(metrics.ttftMs.mean.ape).toBeLessThan(0.01);
  });

  it("fails as its first point does where none works", async () => {
    const result = await callCli("sweep", ...SMALL, "--rate", "1,2", "--num-gpu-blocks-override", "2");
    expect(result).toMatchObject({ exitCode: 4, stdout: "" });
    expect(result.stderr).toContain("all 2 points failed");
  });
});

function range(length: number): string {
  return Array.from({ length }, (_, i) => i + 1).join(",");
}

const REFUSED: readonly BadInput[] = [
  [["sweep", "--rate", "1:2"], 2, ["--rate", "from:to:count"]],
  [["sweep", "--vary", "gpu=H100,H10O"], 2, ["--vary gpu", "did you mean H100?"]],
  [
    ["sweep", "--vary", "maxNumSeqs=0,x"],
    2,
    ["2 problems", "--vary maxNumSeqs (engine.maxNumSeqs): got 0; must be ≥ 1", 'got "x"'],
  ],
  [["sweep", "--vary", "max-num-seqs=0"], 2, ["--vary max-num-seqs (engine.maxNumSeqs): got 0; must be ≥ 1"]],
  [["sweep", "--vary", "tp=0,1"], 2, ["--vary tp (engine.tensorParallelSize): got 0"]],
  [["sweep", "--rate", "1", "--sweep-size", "4"], 2, ["--sweep-size", "--profile sweep"]],
  [["sweep", "--profile", "sweep", "--rate", "1"], 2, ["--rate: got 1; must be ≥ 2"]],
  [["sweep", "--max-concurrency", "4"], 2, ["--max-concurrency", "--profile sweep does not use it"]],
  [["sweep", "--vary", `maxNumSeqs=${range(400)}`, "--vary", `blockSize=${range(400)}`], 2, ["160000 combinations"]],
  [["sweep", "--profile", "throughput", "--rate", "1,2"], 2, ["--rate", "--profile throughput does not use it"]],
  [["sweep", "--workers", "0"], 2, ["--workers", "must be ≥ 1"]],
  [["sweep", "--seeds", "0"], 2, ["--seeds", "must be ≥ 1"]],
  [["sweep", "--restart"], 2, ["--restart", "--out"]],
  [["sweep", "--rate", "1", "--rates", "2"], 2, ["--rate", "give it once"]],
  [["sweep", "/no/such/folder"], 3, ["/no/such/folder", "no such file"]],
  [["sweep", "x.json", "--vary", "tp=1", "--rate", "2"], 2, ["--vary", "--rate", "leave it out"]],
];

test.each(REFUSED)("%j is refused with what to do", async (args, exitCode, says) => {
  await expectRefusal([args, exitCode, says]);
});

const measured = sharedFile("ground_truth/guidellm");

describe.skipIf(measured === null)("a measured GuideLLM sweep", () => {
  const comparison = z.object({ measured: z.number(), predicted: z.number(), ape: z.number() });

  it("stands beside its prediction: its own rates, and latency at each", async () => {
    const { stdout } = await callCli("sweep", String(measured), "--format", "json");
    const { schema, experiments } = JSON.parse(stdout);
    expect(schema).toBe("roofserve.sweep-comparison/1");
    const [{ rates, benchmarks }] = experiments;
    const constant = z.array(comparison).parse(rates.constantPerS);
    expect(constant.map(({ measured }) => measured.toFixed(4))).toEqual(["0.7590", "0.9225", "1.0861"]);
    for (const { ape } of [rates.synchronousPerS, rates.throughputPerS, ...constant]) expect(ape).toBeLessThan(5);
    expect(constant.at(-1)?.predicted).toBe(rates.throughputPerS.predicted);
    const errors = benchmarks.map(
      (benchmark: { metrics: { e2eMs: { mean: { ape: number } } } }) => benchmark.metrics.e2eMs.mean.ape,
    );
    expect(errors).toHaveLength(5);
    expect(Math.max(...errors.slice(0, 4))).toBeLessThan(3);
    expect(errors[4]).toBeLessThan(13);
  });

  it("is answered in a line, and leaves its numbers in files", async () => {
    const out = join(folder, "compared");
    const table = await callCli("sweep", String(measured), "--out", out);
    const [answer] = table.stdout.split("\n");
    expect(answer).toMatch(
      /^Rates within 3\.\d %, E2E within 12\.\d % \(worst at constant 1\.09\/s, near saturation; the others within 2\.\d %\), TTFT within .* ITL within .* %\.$/,
    );
    expect(table.stdout).toMatch(/^constant 0\.759\/s {2}ITL mean/m);
    const csv = await callCli("sweep", String(measured), "--format", "csv");
    expect(readFileSync(join(out, "comparison.csv"), "utf8")).toBe(csv.stdout);
    const rows = parse(csv.stdout, { columns: true }) as Record<string, string>[];
    expect(rows).toHaveLength(5 + 5 * 13);
    for (const { measured, predicted, error_percent } of rows) {
      expect(Number(error_percent)).toBeCloseTo(100 * (Number(predicted) / Number(measured) - 1), 6);
    }
    const { experiments } = JSON.parse(readFileSync(join(out, "comparison.json"), "utf8"));
    expect(experiments[0].finding).toBe(answer);
  });
  it("runs long enough to tell, unless the user says how many requests", async () => {
    const sizeOf = async (...args: string[]) => {
      const { stdout } = await callCli("sweep", "--rate", "20", "--format", "json", ...args);
      return JSON.parse(stdout).config.workload.maxRequests;
    };
    const data = ["--profile", "poisson", "--data", "prompt_tokens=50,output_tokens=2"];
    expect(await sizeOf(...data)).toBe(2000);
    expect(await sizeOf(...data, "--max-requests", "30")).toBe(30);
    const file = join(folder, "short.json");
    const fixed = (tokens: number) => ({ kind: "fixed", tokens });
    const lengths = { kind: "lengths", prompt: fixed(50), output: fixed(2) };
    writeFileSync(file, JSON.stringify({ profile: { kind: "poisson", rate: 1 }, data: lengths, maxRequests: 40 }));
    expect(await sizeOf("--workload", file)).toBe(40);
  });

  it("touches nothing in a folder that another program keeps its files in", async () => {
    const theirs = join(folder, "theirs");
    mkdirSync(join(theirs, "benchmarks"), { recursive: true });
    writeFileSync(join(theirs, "manifest.json"), '{"name": "a web app"}');
    writeFileSync(join(theirs, "benchmarks", "precious.csv"), "1");
    for (const restart of [[], ["--restart"]]) {
      const { exitCode, stderr } = await callCli("sweep", ...SMALL, "--rate", "2", "--out", theirs, ...restart);
      expect(exitCode).toBe(2);
      expect(stderr).toContain("that no sweep wrote: choose an empty or a new folder");
    }
    expect(readFileSync(join(theirs, "manifest.json"), "utf8")).toContain("a web app");
    expect(readdirSync(theirs).sort()).toEqual(["benchmarks", "manifest.json"]);
  });
});
