import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { COMMANDS, commandName } from "../../src/cli/commandTable.js";
import { readGuidellmReport } from "../../src/io/guidellm/guidellmReport.js";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { ensureBuilt, MAIN_FILE, spawnCli } from "./builtCli.js";
import { callCli } from "./cliCall.js";

const { folder, write } = temporaryFolder();
const rows = Array.from({ length: 30 }, (_, i) => `${i / 10},${100 + 7 * i},${5 + i}\n`);
const trace = write("trace.csv", `arrival_s,prompt_tokens,output_tokens\n${rows.join("")}`);
const AGENTS = ["run", "--workload", "agent", "--max-requests", "40", "--format", "json"];

beforeAll(ensureBuilt);

describe("the built command line", () => {
  test("says its version and its help on stdout, with code 0", async () => {
    const [version, help, runHelp] = await Promise.all(
      [["--version"], ["--help"], ["run", "--help"]].map((args) => spawnCli(args)),
    );
    const { version: expected } = JSON.parse(readFileSync(join(MAIN_FILE, "..", "..", "..", "package.json"), "utf8"));
    expect(version).toEqual({ exitCode: 0, stdout: `${expected}\n`, stderr: "" });
    for (const word of ["run", "replay", "evaluate", "step", "explain", "models", "gpus", "bench-data", "Exit codes"]) {
      expect(help?.stdout).toContain(word);
    }
    expect(runHelp?.stdout).toContain("Examples:");
    expect(Math.max(...(runHelp?.stdout ?? "").split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  test("prints the help that its sources print, whatever the bundle replaces", async () => {
    const commands = [[], ...COMMANDS.map(commandName).map((name) => [name]), ["bench-data", "import"]];
    const printed = vi.spyOn(console, "log").mockImplementation(() => {});
    for (const command of commands) {
      await callCli(...command, "--help");
      const { stdout } = await spawnCli([...command, "--help"]);
      expect(stdout, command.join(" ")).toBe(`${printed.mock.lastCall?.join(" ")}\n`);
    }
    printed.mockRestore();
  });

  test.for([
    [["run", "--frobnicate"], 2],
    [["run", "--config", "/no/such/file.json"], 3],
    [["run", "--model", "meta-llama/Llama-3.1-405B", "--gpu", "L4"], 4],
  ] as const)("%j exits with %i, without stdout or stack", async ([args, exitCode]) => {
    const result = await spawnCli(args);
    expect(result).toMatchObject({ exitCode, stdout: "" });
    expect(result.stderr).toMatch(/roofserve: /);
    expect(result.stderr).not.toContain("    at ");
  });

  test("a broken table fails bench-data check with code 3, the report on stdout", async () => {
    mkdirSync(join(folder, "tables", "gemm", "h100"), { recursive: true });
    write("tables/gemm/h100/data.csv", "m,k,n,latency_us\n0,8,8,5\n");
    const result = await spawnCli(["bench-data", "check", join(folder, "tables")]);
    expect(result.exitCode).toBe(3);
    expect(result.stdout).toContain("row 2, column m: got 0");
  });

  test("the same input and seed give the same bytes, and another seed does not", async () => {
    const [first, second] = await Promise.all([spawnCli(AGENTS), spawnCli(AGENTS)]);
    const other = await callCli(...AGENTS, "--seed", "7");
    expect(first?.stdout).toBe(second?.stdout);
    expect(first?.stdout).not.toBe(other.stdout);
    expect(JSON.parse(first?.stdout ?? "").schema).toBe("roofserve.run/1");
  });

  test("a first run ends with commands to try, on stderr", async () => {
    const bare = await callCli("run");
    const asked = await callCli("run", "--rate", "2", "--max-requests", "5");
    expect(bare?.stderr).toContain("What to try next:");
    expect(bare?.stdout).toContain("Half of the users see a first token within");
    expect(bare?.stdout).not.toContain("What to try next");
    expect(asked?.stderr).not.toContain("What to try next");
    const proposed = [...(bare?.stderr ?? "").matchAll(/^ {2}(?:npx )?roofserve (.*?) {2,}/gm)].map(([, line]) => line);
    expect(proposed.length).toBeGreaterThanOrEqual(4);
    for (const line of proposed) {
      const args = String(line).split(" ");
      // A process of its own where files appear in the folder it stands in, and where help goes past the caught output.
      const needsProcess = args.includes("--out") || args.includes("--help");
      const { exitCode } = needsProcess ? await spawnCli(args, folder) : await callCli(...args);
      expect(exitCode, line).toBe(0);
    }
  });

  test("a reader that closes the pipe early ends it quietly", async () => {
    const child = spawn(process.execPath, [
      MAIN_FILE,
      "run",
      "--max-requests",
      "3000",
      "--rate",
      "100",
      "--format",
      "csv",
    ]);
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.stdout.once("data", () => child.stdout.destroy());
    const exitCode = await new Promise((resolve) => child.on("close", resolve));
    expect(exitCode).toBe(0);
    expect(stderr).not.toMatch(/EPIPE|bug in roofserve/);
  });
});

describe("what a run leaves behind", () => {
  test("the files of --out exist and read back", async () => {
    const out = join(folder, "deep", "out");
    const { stdout, stderr } = await spawnCli([...AGENTS, "--out", out]);
    for (const name of ["summary.json", "requests.csv", "requests.jsonl", "guidellm.json", "trace.json"]) {
      expect(stderr).toContain(`wrote ${join(out, name)}`);
    }
    expect(readFileSync(join(out, "summary.json"), "utf8")).toBe(stdout);
    const csv = parse(readFileSync(join(out, "requests.csv"), "utf8"), { columns: true }) as Record<string, string>[];
    const lines = readFileSync(join(out, "requests.jsonl"), "utf8").trim().split("\n");
    expect(csv).toHaveLength(40);
    expect(lines.map((line) => JSON.parse(line).request_id)).toEqual(csv.map((row) => row.request_id));
    const report = readGuidellmReport(join(out, "guidellm.json"));
    expect(report.model).toBe("meta-llama/Llama-3.1-8B-Instruct");
    expect(report.benchmarks[0]?.records).toHaveLength(40);
    expect(JSON.parse(readFileSync(join(out, "trace.json"), "utf8")).traceEvents.length).toBeGreaterThan(40);
    const replayed = await callCli("replay", out, "--format", "json");
    const rerun = await callCli("run", "--config", join(out, "summary.json"), "--format", "json");
    expect([replayed.stdout, rerun.stdout]).toEqual([stdout, stdout]);
    const fromFile = await callCli("replay", join(out, "guidellm.json"), "--format", "json");
    expect(JSON.parse(fromFile.stdout).requests.completed).toBe(40);
  });

  test.each(["requests.csv", "requests.jsonl"])(
    "--requests-out writes %s of --out, and prints the same",
    async (name) => {
      const out = join(folder, "whole");
      const streamed = join(folder, "streamed", name);
      const args = [...AGENTS, "--timeout-s", "30"];
      const plain = await callCli(...args);
      const both = await callCli(...args, "--out", out, "--requests-out", streamed);
      expect(both.stdout).toBe(plain.stdout);
      expect(both.stderr).toContain(`wrote ${streamed}`);
      expect(readFileSync(streamed)).toEqual(readFileSync(join(out, name)));
    },
  );

  test("a run that writes no records keeps none: 150,000 requests in a heap that has no room for them", async () => {
    const rows = join(folder, "many.jsonl");
    const data = ["--data", "prompt_tokens=8,output_tokens=2", "--profile", "constant", "--rate", "100"];
    const args = ["run", ...data, "--max-requests", "150000", "--format", "json", "--requests-out", rows];
    const { exitCode, stdout, stderr } = await spawnCli(args, folder, ["--max-old-space-size=40"]);
    expect(stderr).not.toContain("heap");
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).requests.completed).toBe(150_000);
    expect(readFileSync(rows, "utf8").split("\n")).toHaveLength(150_001);
  });

  test("a trace is longer than the heap has room for, and gives what its head gives when all of it is read", async () => {
    const note = "x".repeat(300);
    const lines = Array.from({ length: 120_000 }, (_, i) =>
      JSON.stringify({ timestamp: 10 * i, input_length: 8, output_length: 2, hash_ids: [i], note }),
    );
    const long = write("long.jsonl", lines.join("\n"));
    const args = ["--format", "json"];
    const { exitCode, stdout, stderr } = await spawnCli(["replay", long, ...args], folder, ["--max-old-space-size=40"]);
    expect(stderr).not.toContain("heap");
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).requests.completed).toBe(120_000);
    const head = write("head.jsonl", lines.slice(0, 500).join("\n"));
    const [streamed, whole] = [
      await callCli("replay", long, ...args, "--limit", "500"),
      await callCli("replay", head, ...args),
    ];
    expect(streamed.stdout.replaceAll(long, head)).toBe(whole.stdout);
  });

  test("run of a trace equals replay of it, and replay of what run wrote", async () => {
    const out = join(folder, "traced");
    const ran = await callCli("run", "--data", trace, "--out", out, "--format", "json");
    const replays = [
      await callCli("replay", out, "--format", "json"),
      await callCli("replay", trace, "--format", "json"),
      await callCli("replay", join(out, "requests.csv"), "--format", "json"),
    ];
    const { config: _config, ...result } = JSON.parse(ran.stdout);
    expect(result.requests.completed).toBe(30);
    expect(replays[0]?.stdout).toBe(ran.stdout);
    for (const replay of replays) expect(JSON.parse(replay.stdout)).toMatchObject(result);
  });

  test("--format csv parses, one row per request", async () => {
    const { stdout } = await callCli("run", "--data", trace, "--format", "csv");
    const parsed = parse(stdout, { columns: true }) as Record<string, string>[];
    expect(parsed).toHaveLength(30);
    expect(parsed.every((row) => row.status === "completed" && Number(row.ttft_ms) > 0)).toBe(true);
  });
});

describe("--config", () => {
  const config = write(
    "config.yaml",
    "gpu: L40S\nengine:\n  maxNumSeqs: 32\n  maxModelLen: 8192\nworkload:\n  maxRequests: 5\n",
  );

  test("its values count, and flags win over them", async () => {
    const given = ["run", "--config", config, "--format", "json"];
    const plain = await callCli(...given);
    const flagged = await callCli(...given, "--max-num-seqs", "64", "--gpu", "H100");
    const read = (result: { stdout: string } | undefined) => JSON.parse(result?.stdout ?? "");
    expect(read(plain).config).toMatchObject({ gpu: "L40S", engine: { maxNumSeqs: 32, maxModelLen: 8192 } });
    expect(read(plain).requests.submitted).toBe(5);
    expect(read(flagged).config).toMatchObject({ gpu: "H100", engine: { maxNumSeqs: 64, maxModelLen: 8192 } });
  });
});
