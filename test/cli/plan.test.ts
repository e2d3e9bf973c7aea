import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { type BadInput, callCli, expectRefusal } from "./cliCall.js";

const { folder } = temporaryFolder();
const SMALL = [
  "--max-model-len",
  "2048",
  "--max-requests",
  "40",
  "--data",
  "prompt_tokens=100,output_tokens=5",
  "--seeds",
  "2",
];
const SLO = ["--slo", "p90 ttft<=200ms, p50 itl<=100ms"];
const TWO = ["--vary", "gpu=H100,A10G", "--vary", "tp=1"];

describe("roofserve plan", () => {
  it("answers in a line, then lists every server with its cost; the number of workers changes nothing", async () => {
    const asked = ["plan", ...SMALL, ...SLO, ...TWO, "--target-rate", "150"];
    const { exitCode, stdout, stderr } = await callCli(...asked, "--workers", "1");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^.*(H100|A10G).* serves? 150 requests\/s of meta-llama\/Llama-3\.1-8B-Instruct within the SLO for \$/,
    );
    expect(stdout).toMatch(/^\* +1 × (H100|A10G) /m);
    expect(stdout).toMatch(/^A10G \$1\.01\/h: AWS/m);
    expect(stderr).toMatch(/2\/2 .*\n\d+ trials in /);
    expect((await callCli(...asked, "--workers", "2")).stdout).toBe(stdout);
    const result = JSON.parse((await callCli(...asked, "--format", "json")).stdout);
    expect(result).toMatchObject({ schema: "roofserve.plan/1", targetRequestsPerS: 150, seeds: [42, 1042] });
    expect(result.plans[0].replicas * result.plans[0].highestRatePerS).toBeGreaterThanOrEqual(150);
    expect(result.best).toBe(result.plans[0].label);
  });

  it("takes one's own prices, which may turn the order around", async () => {
    const file = join(folder, "ours.json");
    const price = (gpu: string, usdPerGpuHour: number) => ({ gpu, usdPerGpuHour, source: "us", date: "2026-11-26" });
    const bestAt = async (h100: number, l4: number) => {
      writeFileSync(file, JSON.stringify({ prices: [price("H100", h100), price("A10G", l4)] }));
      const { stdout } = await callCli("plan", ...SMALL, ...SLO, ...TWO, "--prices", file, "--format", "json");
      return JSON.parse(stdout).plans[0].gpu;
    };
    expect([await bestAt(0.01, 100), await bestAt(100, 0.01)]).toEqual(["H100", "A10G"]);
  });

  it("plans for the arrivals that a workload's file describes, to the number of requests that it says", async () => {
    const file = join(folder, "bursty.json");
    const lengths = (tokens: number) => ({ kind: "fixed", tokens });
    const data = { kind: "lengths", prompt: lengths(100), output: lengths(5) };
    writeFileSync(
      file,
      JSON.stringify({ profile: { kind: "gamma", rate: 3, burstiness: 0.1 }, data, maxRequests: 60 }),
    );
    const asked = ["plan", "-g", "H100", "--tp", "1", "--seeds", "1", "--slo", "p90 ttft<=60ms", "--workload", file];
    const { config } = JSON.parse((await callCli(...asked, "--format", "json")).stdout);
    expect(config.workload).toMatchObject({ profile: { kind: "gamma", burstiness: 0.1 }, maxRequests: 60 });
  });

  it("exits with 4 and says why where nothing can keep the SLO", async () => {
    const { exitCode, stdout, stderr } = await callCli(
      "plan",
      ...SMALL,
      "-g",
      "L4",
      "--tp",
      "1",
      "--slo",
      "p50 itl<=1ms",
    );
    expect(exitCode).toBe(4);
    expect(stderr).toContain("none of 1 servers keeps the SLO");
    expect(stdout).toMatch(/^Nothing considered keeps the SLO \(p50 ITL ≤ 1 ms\)\.\n/);
    expect(stdout).toMatch(/1 × L4: even one request at a time: p50 ITL \d+(\.\d+)? ms > 1 ms/);
  });

  test.each<BadInput>([
    [["plan"], 2, ["--slo: got nothing; say what must hold"]],
    [["plan", "--slo", "fast"], 2, ['--slo: got "fast"; must be limits']],
    [["plan", ...SLO, "--profile", "concurrent"], 2, ["--profile: got concurrent; must be one of poisson"]],
    [["plan", ...SLO, "--rate", "30"], 2, ["--rate: got 30", "--target-rate"]],
    [["plan", ...SLO, "--max-seconds", "60"], 2, ["--max-seconds: got 60", "--max-requests"]],
    [["plan", ...SLO, "--target-rate", "0"], 2, ["--target-rate: got 0; must be > 0"]],
    [["plan", ...SLO, "--vary", "gpu=H1000"], 2, ["--vary gpu", "did you mean H100?"]],
    [["plan", ...SLO, "--prices", "none.json"], 3, ["none.json: no such file", "usdPerGpuHour"]],
  ])("refuses %j", async (...input) => expectRefusal(input));
});
