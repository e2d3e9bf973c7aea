import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
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
    expect(result).toMatchObject({ checkSeeds: [2042, 3042], rateUnit: "requests", confidence: { level: 0.5 } });
    expect(result.plans[0].replicas * result.plans[0].highestRatePerS).toBeGreaterThanOrEqual(150);
    expect(result.best).toBe(result.plans[0].label);
  });

  it("keeps limits on each request, by the share of requests that must be within them", async () => {
    const slo = ["--slo", "ttft<=300ms, tpot<=30ms, goodput>=99%"];
    const { exitCode, stdout, stderr } = await callCli("plan", ...SMALL, ...slo, "-g", "H100", "--tp", "1");
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toMatch(/^1 × H100 serves .* goodput (100|99(\.\d)?) % \(≥ 99 %\); 2 of 2 other seeds keep it\./);
  });

  it("says what is known of the error of the simulation at the load planned, and of chance", async () => {
    const asked = ["plan", ...SMALL, ...SLO, "--tp", "1", "-g"];
    const known = (await callCli(...asked, "H100")).stdout;
    expect(known).toMatch(
      /^Error of the simulation itself, 1 × H100 at its load: .* measured runs erred by [\d.]+ % end to end .*p99s err by more/m,
    );
    expect(known).toMatch(
      /^With 75 % confidence the median run carries a replica's rate, and with 50 % the interval /m,
    );
    const unknown = (await callCli(...asked, "A10G")).stdout;
    expect(unknown).toMatch(
      /^Error of the simulation itself, 1 × A10G at its load: .*no measured run to compare with\./m,
    );
    expect(unknown).not.toContain("p99s err");
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

  it("goes on from the trials that --out kept, whatever ended it, to the same bytes; its files are the result", async () => {
    const out = join(folder, "kept");
    const asked = ["plan", ...SMALL, ...SLO, ...TWO, "--format", "csv"];
    const { stdout } = await callCli(...asked, "--out", out);
    expect(readFileSync(join(out, "plan.csv"), "utf8")).toBe(stdout);
    const trials = readFileSync(join(out, "trials.jsonl"), "utf8");
    const lines = trials.split("\n").slice(0, -1);
    // As a kill leaves it: half of the lines, and a part of one.
    writeFileSync(
      join(out, "trials.jsonl"),
      `${lines.slice(0, lines.length >> 1).join("\n")}\n${lines.at(-1)!.slice(0, 99)}`,
    );
    const again = await callCli(...asked, "--out", out);
    expect(again.stdout).toBe(stdout);
    expect(again.stderr).toContain(`found ${lines.length >> 1} finished trials in ${out}`);
    const kept = readFileSync(join(out, "trials.jsonl"), "utf8").split("\n").slice(0, -1);
    expect([...kept].sort()).toEqual([...lines].sort());
    // A target changes no trial that finds the rate: only loads are new.
    const other = await callCli(...asked, "--out", out, "--target-rate", "20");
    expect(other.stderr).toContain(`found ${lines.length} finished trials`);
    expect(readFileSync(join(out, "trials.jsonl"), "utf8").split("\n").length - 1).toBeLessThan(1.5 * lines.length);
    expect(readdirSync(out).sort()).toEqual(["plan.csv", "plan.json", "trials.jsonl"]);
  });

  it("leaves the folder of another command alone", async () => {
    const out = join(folder, "theirs");
    mkdirSync(out);
    writeFileSync(join(out, "sweep.json"), "{}");
    await expectRefusal([
      ["plan", ...SMALL, ...SLO, ...TWO, "--out", out],
      2,
      ["holds a sweep.json", "choose an empty"],
    ]);
    expect(readdirSync(out)).toEqual(["sweep.json"]);
  });

  it("has a row for each server in CSV, those that cannot be with the reason", async () => {
    const csv = await callCli("plan", ...SMALL, "--slo", "p50 itl<=10ms", ...TWO, "--format", "csv");
    const rows = csv.stdout.trimEnd().split("\n");
    expect(rows[0]).toMatch(/^rank,label,gpu,tensor_parallel_size,reason,rate_unit,highest_rate_per_s,/);
    expect(rows[1]).toMatch(/^1,gpu=H100.*,H100,1,,requests,\d/);
    expect(rows[2]).toMatch(/^,gpu=A10G.*,A10G,1,"?even one request at a time: p50 ITL/);
    expect(rows).toHaveLength(3);
  });

  it("counts sessions where requests have several turns, and says so", async () => {
    const data = "prompt_tokens=100,output_tokens=5,turns=3";
    const asked = ["plan", ...SMALL.slice(0, 4), "--data", data, "--seeds", "2", ...SLO, "-g", "H100", "--tp", "1"];
    const { stdout } = await callCli(...asked);
    expect(stdout).toMatch(/^1 × H100 serves [\d.]+ sessions\/s .*A replica carries [\d.]+ sessions\/s \(/);
    expect(stdout).toContain("sessions/s each");
    expect(stdout).toContain("Rates count sessions, each of several requests.");
    const result = JSON.parse((await callCli(...asked, "--format", "json")).stdout);
    expect(result.rateUnit).toBe("sessions");
    const { load, usdPerHour, usdPerMOutputTokens, highestRatePerS } = result.plans[0];
    expect(load.requestsPerS / highestRatePerS).toBeCloseTo(3, 9);
    expect((usdPerMOutputTokens * load.outputTokensPerS * 3600) / 1e6 / usdPerHour).toBeCloseTo(1, 9);
  });

  it("ranks by GPUs what has no price, after what has one, and says how to give one", async () => {
    const { stdout } = await callCli("plan", ...SMALL, ...SLO, "--vary", "gpu=L40S,H100", "--vary", "tp=1,2");
    const servers = [...stdout.matchAll(/^[* ] +(\d × \w+) .*/gm)].map(([row, name]) => [
      name,
      row.includes("no price"),
    ]);
    expect(servers.slice(2)).toEqual([
      ["1 × L40S", true],
      ["2 × L40S", true],
    ]);
    expect(
      servers
        .slice(0, 2)
        .map(([name]) => name)
        .sort(),
    ).toEqual(["1 × H100", "2 × H100"]);
    expect(stdout).toMatch(/^no price of L40S: ranked by GPUs, after those with a price; give one with --prices$/m);
  });

  it("shows who asks each price where several are compared", async () => {
    const { stdout } = await callCli("plan", ...SMALL, ...SLO, ...TWO);
    expect(stdout).toMatch(/GPUs +vendor +\$\/h/);
    expect(stdout).toMatch(/^these are prices of .*AWS.*: give your own with --prices$/m);
    expect((await callCli("plan", ...SMALL, ...SLO, "-g", "H100", "--tp", "1")).stdout).not.toContain("vendor");
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
    [["plan", "--slo", "p95 tli<=40ms"], 2, ["did you mean p95 itl<=40ms?"]],
    [["plan", ...SLO, "--out", " "], 2, ["--out: got", "must name a folder"]],
    [["plan", ...SLO, "--rate", "30"], 2, ["--rate: got 30", "--target-rate"]],
    [["plan", ...SLO, "--max-seconds", "60"], 2, ["--max-seconds: got 60", "--max-requests"]],
    [["plan", ...SLO, "--target-rate", "0"], 2, ["--target-rate: got 0; must be > 0"]],
    [["plan", ...SLO, "--tp", "1,2"], 2, ['got "1,2"', "give several with --vary tp=1,2"]],
    [["plan", ...SLO, "-g", "H100,L4"], 2, ['got "H100,L4"', "give several with --vary gpu=H100,L4"]],
    [["sweep", "--rate", "1", "--tp", "1,2"], 2, ['got "1,2"', "give several with --vary tp=1,2"]],
    [["plan", ...SLO, "--vary", "gpu=H1000"], 2, ["--vary gpu", "did you mean H100?"]],
    [["plan", ...SLO, "--prices", "none.json"], 3, ["none.json: no such file", "usdPerGpuHour"]],
  ])("refuses %j", async (...input) => expectRefusal(input));
});
