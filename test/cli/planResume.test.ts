import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { ensureBuilt, MAIN_FILE, spawnCli } from "./builtCli.js";

const { folder } = temporaryFolder();
const REQUESTS = ["--max-requests", "300", "--data", "prompt_tokens=400,output_tokens=40", "--max-model-len", "2048"];
const SLO = ["--slo", "p90 ttft<=200ms, p50 itl<=100ms", "--seeds", "3"];
const PLAN = ["plan", ...REQUESTS, ...SLO, "--vary", "gpu=H100,A10G", "--tp", "1", "--format", "json"];

beforeAll(ensureBuilt);

const linesOf = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];

test("a plan that was killed goes on from its finished trials, repeats none, and ends as if it never had been", async () => {
  const out = join(folder, "killed");
  const trials = join(out, "trials.jsonl");
  const child = spawn(process.execPath, [MAIN_FILE, ...PLAN, "--out", out, "--workers", "1"], { stdio: "ignore" });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on("close", (_, by) => resolve(by)));
  while (child.exitCode === null && linesOf(trials).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill("SIGKILL");
  expect(await ended).toBe("SIGKILL");
  const kept = linesOf(trials);
  expect(existsSync(join(out, "plan.json"))).toBe(false);

  const resumed = await spawnCli([...PLAN, "--out", out]);
  expect(resumed.exitCode, resumed.stderr).toBe(0);
  expect(resumed.stderr).toContain(`found ${kept.length} finished trials`);
  const lines = linesOf(trials);
  expect(lines.slice(0, kept.length)).toEqual(kept);
  expect(lines.length).toBeGreaterThan(kept.length);
  const keys = lines.map((line) => JSON.parse(line).key);
  expect(new Set(keys).size).toBe(keys.length);
  expect(resumed.stdout).toBe((await spawnCli(PLAN)).stdout);
}, 120_000);
