import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GROUND_TRUTH_SCHEMA_ID } from "../../src/io/groundTruth/groundTruthFile.js";
import { type PlantedOptions, plantedExperiment } from "../reference/plantedExperiment.js";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { ensureBuilt, spawnCli } from "./builtCli.js";
import { type BadInput, callCli, expectRefusal } from "./cliCall.js";

const { folder, write } = temporaryFolder();

/** A planted experiment as a user would write it down. */
function groundTruth(name: string, options: PlantedOptions, extra: object = {}): string {
  const { runs, config } = plantedExperiment({ numRequests: 160, outputTokens: 30, ...options });
  const [run] = runs as [(typeof runs)[number]];
  const requests = run.specs.map((spec, i) => ({
    arrivalS: spec.arrivalUs / 1e6,
    promptTokens: spec.numPromptTokens,
    outputTokens: spec.maxTokens,
    ttftMs: run.measured[i]!.ttftMs,
    e2eMs: run.measured[i]!.e2eMs,
    status: run.measured[i]!.failed ? "failed" : "completed",
  }));
  const experiment = { name, model: config.model, gpu: "H100", vllmVersion: "0.15.1", requests, ...extra };
  return write(`${name}.json`, JSON.stringify({ schema: GROUND_TRUTH_SCHEMA_ID, experiments: [experiment] }));
}

const planted = { frontEndUs: 9000, kernelGapUsPerLayer: 26 };
const run = groundTruth("first", { planted });
const calibrationFile = join(folder, "calibration.json");

describe("roofserve calibrate", () => {
  test("writes a coefficient set, and the same bytes to stdout with --format json, twice", async () => {
    const args = ["calibrate", run, "--format", "json", "--name", "mine", "--date", "2026-01-20"];
    const first = await callCli(...args, "--out", calibrationFile);
    expect(first.exitCode).toBe(0);
    expect(readFileSync(calibrationFile, "utf8")).toBe(first.stdout);
    expect((await callCli(...args)).stdout).toBe(first.stdout);
    const calibration = JSON.parse(first.stdout);
    expect(calibration).toMatchObject({
      schema: "roofserve.calibration/1",
      name: "mine",
      date: "2026-01-20",
      vllmVersion: "0.15.1",
      simulatedVllmVersion: "0.15",
      source: "first",
    });
    expect(calibration.terms.frontEndUs.low80).toBeLessThan(9000);
    expect(calibration.terms.frontEndUs.high80).toBeGreaterThan(9000);
  });

  test("shows people what moved, what did not and why", async () => {
    const { stdout } = await callCli("calibrate", run);
    expect(stdout).toMatch(/front end, per request +4500\.0 .* fitted/);
    expect(stdout).toMatch(/per prompt token +1\.0 +– +– +– +1\.0 +not identifiable on this run: the built-in is used/);
    expect(stdout).toMatch(
      /^per request, mean \|error\| % +requests +E2E before +after +TTFT before +after +ITL before +after$/m,
    );
    expect(stdout).not.toContain("nothing moved");
    expect(stdout).toMatch(/residual, per output token .* not kept: its 95 % interval includes 0/);
    expect(stdout).toMatch(/validation +\d+/);
  });

  test("makes a file that run, step and replay take, and that changes what they predict", async () => {
    const args = ["run", "--max-requests", "20", "--format", "json"];
    const plain = JSON.parse((await callCli(...args)).stdout);
    const calibrated = await callCli(...args, "--calibration", calibrationFile);
    const summary = JSON.parse(calibrated.stdout);
    expect(summary.ttftMs.p50).toBeGreaterThan(plain.ttftMs.p50 + 3);
    expect(summary.notes[0]).toContain('calibrated with "mine"');
    expect(calibrated.stderr).toContain('note: calibrated with "mine"');
    const gpuUs = async (...flags: string[]) =>
      JSON.parse((await callCli("step", "--batch", "decode:1@10", "--format", "json", ...flags)).stdout).gpuUs;
    expect(await gpuUs("--calibration", calibrationFile)).toBeGreaterThan((await gpuUs()) + 300);
    expect((await callCli("replay", run, "--calibration", calibrationFile)).stderr).toContain("calibrated with");
  });

  test("lowers what evaluate finds on another run of the server", async () => {
    const newer = groundTruth("another", { planted, seed: 5 });
    const errorOf = async (...args: string[]) => {
      const { stdout } = await callCli("evaluate", newer, "--format", "json", ...args);
      return JSON.parse(stdout).summary.ttftMeanApe.mean;
    };
    expect(await errorOf("--calibration", calibrationFile)).toBeLessThan(0.3 * (await errorOf()));
  });
});

describe("a run that the built-in constants describe", () => {
  const builtIn = groundTruth("as-built-in", {}, { vllmVersion: null });

  test("gives a calibration that moves nothing, which says so in one line", async () => {
    const { stdout } = await callCli("calibrate", builtIn);
    expect(stdout).toMatch(/^nothing moved: with this calibration predictions are those of the built-in constants$/m);
    expect(stdout).toContain("vLLM 0.15 (assumed), asynchronous scheduling");
  });
});

describe("roofserve calibrate --check", () => {
  test("finds a calibration fresh on a new run of its server, beside the built-in constants", async () => {
    const newer = groundTruth("newer", { planted, seed: 2 });
    const { stdout, stderr, exitCode } = await callCli("calibrate", newer, "--check", calibrationFile);
    expect(stdout).toMatch(/^fresh: no error above 30 %$/m);
    const [, numRequests, before, after] = /^newer +(\d+) +(\S+) +(\S+)/m.exec(stdout) ?? [];
    expect(numRequests).toBe("160");
    expect(Number(after)).toBeLessThan(0.3 * Number(before));
    expect(stdout).not.toContain("requests compared");
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
  });

  test("notes another vLLM version without sending the reader to itself", async () => {
    const later = groundTruth("later", { planted, seed: 2, vllmVersion: "0.18" }, { vllmVersion: "0.18.0" });
    const { stdout, stderr } = await callCli("calibrate", later, "--check", calibrationFile);
    expect(stderr).toBe("note: the calibration is of vLLM 0.15.1, here 0.18 is simulated\n");
    expect(stdout).toMatch(/^fresh/m);
  });

  test("is not applicable where what was fitted is left out, with the reason", async () => {
    const old = groundTruth("old", { planted: { frontEndUs: 9000 }, vllmVersion: "0.11.0" }, { vllmVersion: "0.11.0" });
    const table = await callCli("calibrate", old, "--check", calibrationFile);
    expect(table.stdout).toMatch(
      /^not applicable: the calibration is of asynchronous scheduling, .*; calibrate on this/m,
    );
    expect(table.stdout).not.toMatch(/^fresh|^stale/m);
    const json = JSON.parse((await callCli("calibrate", old, "--check", calibrationFile, "--format", "json")).stdout);
    expect(json.verdict).toBe("not applicable");
    expect(json.leftOut).toHaveLength(1);
  });

  test("says how many requests were compared where some were dropped", async () => {
    const failing = groundTruth("failing", { planted, seed: 2, failedFraction: 0.1 });
    const { stdout } = await callCli("calibrate", failing, "--check", calibrationFile);
    const [, compared, failed] = /^(\d+) of 160 requests compared: (\d+) failed when measured$/m.exec(stdout) ?? [];
    expect(Number(compared) + Number(failed)).toBe(160);
    expect(Number(failed)).toBeGreaterThan(0);
  });

  test("flags a stale one on stdout and stderr, and still exits with 0", async () => {
    const slower = groundTruth("slower", { planted: { frontEndUs: 60_000, stepUs: 8000 }, seed: 3 });
    const check = await callCli("calibrate", slower, "--check", calibrationFile, "--format", "json");
    expect(JSON.parse(check.stdout)).toMatchObject({ schema: "roofserve.calibration-check/1", isStale: true });
    expect(check.stderr).toContain("note: the calibration is stale");
    expect(check.exitCode).toBe(0);
  });
});

describe("roofserve calibrate --cross-validate", () => {
  test("predicts each run from the others", async () => {
    const other = groundTruth("other", { planted, seed: 4, model: "Qwen/Qwen3-14B" });
    const { stdout } = await callCli("calibrate", "--cross-validate", run, other);
    expect(stdout).toContain("before = the built-in constants");
    expect(stdout).toMatch(/^Leave one model out/m);
    const columns = ["E2E mean", "TTFT mean", "TTFT p50", "ITL mean"].map((metric) => `${metric} before +after`);
    expect(stdout).toMatch(new RegExp(`^error, % +${columns.join(" +")}$`, "m"));
    expect(stdout).toMatch(/^from other /m);
    const json = await callCli("calibrate", "--cross-validate", run, other, "--from", "neutral", "--format", "json");
    expect(JSON.parse(json.stdout)).toMatchObject({ schema: "roofserve.cross-validation/1", start: "neutral" });
  });

  test("says when there is nothing to hold out", async () => {
    expect((await callCli("calibrate", "--cross-validate", run)).stdout).toContain("nothing to cross-validate");
  });
});

describe("the help of calibrate", () => {
  test("lists the options that it takes, and none that it refuses", async () => {
    ensureBuilt();
    const { stdout } = await spawnCli(["calibrate", "--help"]);
    for (const flag of ["--characterization", "--check", "--seed"])
      expect(stdout).toMatch(new RegExp(`^ .*${flag} `, "m"));
    for (const flag of ["--step-model", "--toggle-hypotheses", "--calibration"]) {
      expect(stdout).not.toMatch(new RegExp(`^ +${flag} `, "m"));
    }
  });
});

describe("bad input to calibrate", () => {
  const few = groundTruth("few", { numRequests: 40 });
  const two = join(folder, "two.json");
  write(
    "two.json",
    JSON.stringify({
      schema: GROUND_TRUTH_SCHEMA_ID,
      experiments: [run, few].flatMap((file) => JSON.parse(readFileSync(file, "utf8")).experiments),
    }),
  );
  test.each<BadInput>([
    [["calibrate"], 2, ["needs a path", "--help"]],
    [["calibrate", "nowhere"], 3, ["nowhere", "no such file"]],
    [["calibrate", few], 3, ["few", "40 usable requests", "at least 100"]],
    [["calibrate", two], 2, ["2 experiments: first, few", "--cross-validate"]],
    [["calibrate", run, "--date", "yesterday"], 2, ["--date", "yesterday", "2026-01-20"]],
    [["calibrate", run, "--from", "neutral"], 2, ["--from", "--cross-validate"]],
    [["calibrate", run, "--check", "x.json", "--out", "y.json"], 2, ["--out", "--check"]],
    [["calibrate", run, "--check", "x.json", "--cross-validate"], 2, ["--cross-validate", "--check"]],
    [["calibrate", run, "--check", "none.json"], 3, ["none.json", "no such file", "calibrate --out"]],
    [["calibrate", run, "--step-model", "roofline-v2"], 2, ["--step-model", "roofline-v2", "additive"]],
    [["calibrate", run, "--calibration", "x.json"], 2, ["--calibration", "x.json", "--check"]],
    [["run", "--calibration", run], 3, ["first.json", "schema", "roofserve.calibration/1"]],
    [["calibrate", run, "--out", join(run, "c.json")], 3, ["cannot be written"]],
  ])("%j", async (...bad) => {
    await expectRefusal(bad);
  });
});
