import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { ensureBuilt, MAIN_FILE, spawnCli } from "./builtCli.js";

const { folder } = temporaryFolder();
const SWEEP = ["sweep", "--profile", "poisson", "--rate", "1:8:8", "--seeds", "2", "--max-requests", "300"];

beforeAll(ensureBuilt);

/** Starts the sweep and stops it as soon as it has finished a run. */
async function stopAfterFirstRun(out: string, signal: NodeJS.Signals) {
  const args = [MAIN_FILE, ...SWEEP, "--out", out, "--workers", "1"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on("close", (_, by) => resolve(by)));
  await firstRun(join(out, "runs.jsonl"), child);
  child.kill(signal);
  return { signal: await ended, stderr };
}

async function firstRun(file: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null && !(existsSync(file) && readFileSync(file, "utf8").includes("\n"))) {
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

test("Ctrl-C ends a sweep by that signal, keeps what is finished and says how to go on", async () => {
  const out = join(folder, "stopped");
  const { signal, stderr } = await stopAfterFirstRun(out, "SIGINT");
  expect(signal).toBe("SIGINT");
  expect(stderr).toMatch(/^stopped: \d+ of 16 runs are kept in .*stopped; the same command goes on from there$/m);
  expect(stderr).not.toMatch(/^ {4}at |bug in roofserve/m);
  expect(keysIn(out).length).toBeGreaterThanOrEqual(1);
});
