import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { ensureBuilt, MAIN_FILE, spawnCli } from "./builtCli.js";

const { folder } = temporaryFolder();
const SWEEP = ["sweep", "--profile", "poisson", "--rate", "1:8:8", "--seeds", "2", "--max-requests", "300"];

beforeAll(ensureBuilt);

/** Starts the sweep and stops it as soon as it has finished a run that was not there. */
async function stopAfterFirstRun(out: string, signal: NodeJS.Signals, sweep: readonly string[] = SWEEP) {
  const args = [MAIN_FILE, ...sweep, "--out", out, "--workers", "1"];
  const numBefore = numLines(join(out, "runs.jsonl"));
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on("close", (_, by) => resolve(by)));
  await nextRun(join(out, "runs.jsonl"), numBefore, child);
  child.kill(signal);
  return { signal: await ended, stderr };
}

const numLines = (file: string): number => (existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0);

async function nextRun(file: string, numBefore: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null && numLines(file) === numBefore) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const keysIn = (out: string): string[] =>
  readFileSync(join(out, "runs.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).key);

test("a sweep that was killed goes on where it was, repeats nothing, and ends as if it never had been", async () => {
  const out = join(folder, "killed");
  expect((await stopAfterFirstRun(out, "SIGKILL")).signal).toBe("SIGKILL");
  const kept = readFileSync(join(out, "runs.jsonl"), "utf8").split("\n").slice(0, -1);
  expect(kept.length).toBeGreaterThanOrEqual(1);
  expect(kept.length).toBeLessThan(16);
  expect(existsSync(join(out, "sweep.json"))).toBe(false);

  const resumed = await spawnCli([...SWEEP, "--out", out, "--format", "json"]);
  expect(resumed.stderr).toContain(`found ${kept.length} finished runs`);
  expect(keysIn(out)).toHaveLength(16);
  expect(new Set(keysIn(out)).size).toBe(16);
  expect(readFileSync(join(out, "runs.jsonl"), "utf8").split("\n").slice(0, kept.length)).toEqual(kept);
  const inMemory = await spawnCli([...SWEEP, "--format", "json"]);
  expect(resumed.stdout).toBe(inMemory.stdout);
});

test("a finished sweep takes further rates, seeds and values, is killed in that, and still repeats nothing", async () => {
  const out = join(folder, "grown");
  const first = ["sweep", "--profile", "poisson", "--rate", "2,4,6", "--max-requests", "300"];
  const more = [
    ...first.slice(0, 4),
    "2,4,6,8",
    "--max-requests",
    "300",
    "--seeds",
    "2",
    "--vary",
    "maxNumSeqs=64,256",
  ];
  const whole = [...first, "--max-num-seqs", "256", "--out", out];
  expect((await spawnCli(whole)).exitCode).toBe(0);
  const kept = readFileSync(join(out, "runs.jsonl"), "utf8");
  expect(keysIn(out)).toHaveLength(3);
  const before = readFileSync(join(out, "sweep.json"), "utf8");

  expect((await stopAfterFirstRun(out, "SIGKILL", more)).signal).toBe("SIGKILL");
  expect(keysIn(out).length).toBeGreaterThanOrEqual(4);
  expect(keysIn(out).length).toBeLessThan(16);
  expect(readFileSync(join(out, "sweep.json"), "utf8")).toBe(before);

  const grown = await spawnCli([...more, "--out", out, "--format", "json"]);
  expect(keysIn(out)).toHaveLength(16);
  expect(new Set(keysIn(out)).size).toBe(16);
  expect(readFileSync(join(out, "runs.jsonl"), "utf8").startsWith(kept)).toBe(true);
  expect(grown.stdout).toBe((await spawnCli([...more, "--format", "json"])).stdout);
  expect(readdirSync(out).filter((name) => name.startsWith("guidellm"))).toEqual([
    "guidellm-0-maxNumSeqs-64.json",
    "guidellm-1-maxNumSeqs-256.json",
  ]);

  const back = await spawnCli([...whole, "--format", "json"]);
  expect(back.stdout).toBe(before);
  expect(back.stderr).toMatch(/^swept in .* s: 0 runs, and 3 found$/m);
  expect(back.stderr).toMatch(/^13 runs in .*grown were not asked for: kept, not shown$/m);

  const changed = await spawnCli([...whole, "--block-size", "32"]);
  expect(changed).toMatchObject({ exitCode: 2, stdout: "" });
  expect(changed.stderr).toMatch(/--block-size: got 32; it was 16; .*grown holds runs of that: --vary it/);
  expect(readFileSync(join(out, "sweep.json"), "utf8")).toBe(before);
  // Seven processes, one after the other.
}, 180_000);

test("Ctrl-C ends a sweep by that signal, keeps what is finished and says how to go on", async () => {
  const out = join(folder, "stopped");
  const { signal, stderr } = await stopAfterFirstRun(out, "SIGINT");
  expect(signal).toBe("SIGINT");
  expect(stderr).toMatch(/^stopped: \d+ of 16 runs are kept in .*stopped; the same command goes on from there$/m);
  expect(stderr).not.toMatch(/^ {4}at |bug in roofserve/m);
  expect(keysIn(out).length).toBeGreaterThanOrEqual(1);
});
