import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CliResult } from "./cliCall.js";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
export const MAIN_FILE = join(ROOT, "dist", "cli", "main.js");

/** Builds the command line if a source is newer than the last build; `npm test` has done it already. */
export function ensureBuilt(): void {
  const builtMs = existsSync(MAIN_FILE) ? statSync(MAIN_FILE).mtimeMs : 0;
  const sources = readdirSync(join(ROOT, "src"), { recursive: true, withFileTypes: true });
  if (!sources.some((entry) => entry.isFile() && statSync(join(entry.parentPath, entry.name)).mtimeMs > builtMs))
    return;
  const build = spawnSync(process.execPath, [join(ROOT, "src", "build.mjs")], { encoding: "utf8" });
  if (build.status !== 0) throw new Error(`the command line does not build:\n${build.stdout}${build.stderr}`);
}

/** Runs the built command line as a process of its own. @param node options of Node */
export function spawnCli(
  args: readonly string[],
  cwd: string = ROOT,
  node: readonly string[] = [],
): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...node, MAIN_FILE, ...args], {
      cwd,
      env: { ...process.env, COLUMNS: "100" },
    });
    const caught = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (text: string) => {
        caught[stream] += text;
      });
    }
    child.on("error", reject);
    child.on("close", (code) => resolve({ exitCode: code ?? -1, ...caught }));
  });
}
