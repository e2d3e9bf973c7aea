import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { characterizationSchema } from "../../src/core/kernels/characterization/characterization.js";
import { loadGpu } from "../../src/io/catalog.js";
import { microBenchmarkCsv } from "../reference/microBenchmarks.js";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { ensureBuilt, spawnCli } from "./builtCli.js";
import { type BadInput, callCli, expectRefusal } from "./cliCall.js";

const { folder, write } = temporaryFolder();
const TRUTH = {
  ...{ sequential: 0.8, scattered: 0.6, mixed: 0.7, blockBytes: 32_768 },
  ...{ launchUs: 4, kernelUs: 3, launchGapUs: 0.4 },
};
const csv = write("h100.csv", microBenchmarkCsv(loadGpu("H100"), TRUTH, { noise: 0.01, outlierShare: 0.1 }, 1));
const out = join(folder, "out", "h100.json");
const characterize = (...args: string[]) => callCli("characterize", csv, "--gpu", "H100", ...args);
const stepUs = async (...args: string[]) => {
  const { stdout, stderr, exitCode } = await callCli("step", "--batch", "decode:32@8192", "--format", "json", ...args);
  expect(exitCode, stderr).toBe(0);
  return { us: JSON.parse(stdout).stepUs as number, stderr };
};

/** The example table in a text. */
const csvIn = (text: string) => /^suite,pattern,.*\n(?:(?:bandwidth|launch_gap),.*\n)+/m.exec(text)?.[0] ?? "";

describe("roofserve characterize", () => {
  it("tells what was measured, what it replaces and what difference it makes", async () => {
    const { stdout, stderr, exitCode } = await characterize();
    expect(exitCode).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^H100 \(datasheet 3350 GB\/s\), measured by a test/);
    expect(stdout).toMatch(/^sequential +– +26\d\d +0\.(79|80)\d/m);
    expect(stdout).toMatch(/^scattered +32768 +(19|20)\d\d +0\.(59|60)\d/m);
    expect(stdout).toMatch(
      /^launch gap 0\.\d\d ± 0\.\d\d µs \(60 rows\): \d\.\d µs per layer of 9\.1 kernels, 7\.0 µs/m,
    );
    expect(stdout).toMatch(/^matrix products +bf16 +sequential +0\.885 +0\.7/m);
    expect(stdout).toMatch(/^decode:32@8192 +\d+\.\d +\d+\.\d +[2-9]\d\.\d$/m);
  });

  it("does not say twice that it was measured where its source says so", async () => {
    const told = write("told.csv", readFileSync(csv, "utf8").replaceAll("a test", "measured: NVIDIA H100"));
    const { stdout } = await callCli("characterize", told, "--gpu", "H100");
    expect(stdout).toMatch(/^H100 \(datasheet 3350 GB\/s\), measured: NVIDIA H100: /);
  });

  it("gives the same as JSON, byte for byte each time", async () => {
    const { stdout } = await characterize("--format", "json");
    expect((await characterize("--format", "json")).stdout).toBe(stdout);
    const report = JSON.parse(stdout);
    expect(report.schema).toBe("roofserve.characterize/1");
    expect(characterizationSchema.safeParse(report.characterization).success).toBe(true);
    expect(report.steps).toHaveLength(8);
  });

  it("writes a file that changes the price of a step by what it says, and names what it replaced", async () => {
    const { stdout, stderr } = await characterize("--out", out, "--format", "json");
    expect(stderr).toBe(`wrote ${out} (for --characterization)\n`);
    expect(characterizationSchema.safeParse(JSON.parse(readFileSync(out, "utf8"))).success).toBe(true);
    const { stepUsBefore, stepUsAfter } = JSON.parse(stdout).steps.find(
      ({ batch }: { batch: string }) => batch === "decode:32@8192",
    );
    const [before, after] = [await stepUs(), await stepUs("--characterization", out)];
    expect(before.us).toBeCloseTo(stepUsBefore, 3);
    expect(after.us).toBeCloseTo(stepUsAfter, 3);
    expect(before.stderr).toBe("");
    expect(after.stderr).toContain("note: characterisation of H100 replaces values fitted to H100's own kernels");
  });

  it("slows a run and stands in its config", async () => {
    const args = ["run", "--profile", "constant", "--rate", "1", "--max-requests", "5", "--format", "json"];
    const plain = JSON.parse((await callCli(...args)).stdout);
    const { stdout, stderr, exitCode } = await callCli(...args, "--characterization", out);
    expect(exitCode, stderr).toBe(0);
    const characterized = JSON.parse(stdout);
    expect(characterized.config.pricing.characterization).toBe(out);
    expect(characterized.e2eMs.mean).toBeGreaterThan(plain.e2eMs.mean);
  });

  it("says that kernel tables go first", async () => {
    const { stderr } = await stepUs("--characterization", out, "--bench-data", "bench_data");
    expect(stderr).toContain("kernels in the tables keep their prices; the characterisation changes the others");
  });

  it("teaches the format", async () => {
    ensureBuilt();
    const help = (await spawnCli(["characterize", "--help"])).stdout;
    for (const part of ["made-up numbers", "bench_data/README.md", "--out"]) expect(help).toContain(part);
    expect(csvIn(help)).toBe(csvIn(readFileSync("bench_data/README.md", "utf8")));
  });

  it("takes the example of its README, which is that of its help, as pasted", async () => {
    const pasted = write("pasted.csv", csvIn(readFileSync("bench_data/README.md", "utf8")));
    const { stdout, stderr, exitCode } = await callCli("characterize", pasted, "--gpu", "H100");
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout.match(/^not measured: .*/gm)).toEqual(["not measured: mixed: no rows"]);
    expect(stdout).toMatch(/^launch gap 0\.\d\d/m);
  });
});

let numTables = 0;
const bench = (lines: string) => {
  numTables += 1;
  return write(`bad${numTables}.csv`, `suite,pattern,bytes,latency_us\n${lines}\n`);
};

const refusals: BadInput[] = [
  [["characterize", csv], 2, ["say which GPU was measured"]],
  [["characterize", csv, "--gpu", "H1OO"], 2, ["--gpu", "must be one of", "H100"]],
  [["characterize", csv, "--gpu", "H100", "--tp", "3"], 2, ["3"]],
  [["characterize", join(folder, "absent.csv"), "--gpu", "H100"], 3, ["absent.csv", "no such file or folder"]],
  [["characterize", bench("bandwidth,sequential,x,3"), "--gpu", "H100"], 3, ["row 2, column bytes", "got x"]],
  [
    ["characterize", bench("bandwidth,sequential,8000000000,100"), "--gpu", "H100"],
    3,
    ["row 2, column latency_us", "times what the memory of H100 can deliver", "correct --gpu"],
  ],
  [
    ["characterize", bench("bandwidth,sequential,8000000000,3000"), "--gpu", "H100"],
    3,
    ["nothing in it can be used", "it takes rows with 3 different bytes", "found 1"],
  ],
  [["step", "--batch", "decode:1@1", "-g", "L4", "--characterization", csv], 3, [csv]],
];

describe("bad input", () => {
  test.each(refusals)("%j", async (...input) => expectRefusal(input as unknown as BadInput));

  it("of another GPU's file names both", async () => {
    if (!existsSync(out)) await characterize("--out", out);
    await expectRefusal([
      ["step", "--batch", "decode:1@1", "-g", "L40S", "--characterization", out],
      2,
      ["characterisation of H100", "must be one of L40S"],
    ]);
  });
});
