// Entry of `npm start` and `npm test`: installs and builds what is missing, then does the job.
// Plain JavaScript without dependencies, because it runs before anything is installed.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const lockCopy = join(root, "node_modules", ".package-lock.json");
const mainFile = join(root, "dist", "cli", "main.js");

function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", shell: process.platform === "win32" });
  if (result.error) console.error(`${command}: ${result.error.message}`);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function newestSourceMs(folder) {
  let newestMs = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) newestMs = Math.max(newestMs, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return newestMs;
}

function isOlder(file, thanMs) {
  return !existsSync(file) || statSync(file).mtimeMs < thanMs;
}

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`roofserve needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}
if (isOlder(lockCopy, statSync(join(root, "package.json")).mtimeMs)) {
  console.error("Installing packages (once) …");
  // Not `npm ci`: it refuses a lock file made where some platforms' optional packages were not to be had.
  run("npm", ["install", "--no-save", "--no-progress", "--loglevel=error"]);
}
if (isOlder(mainFile, newestSourceMs(join(root, "src")))) {
  console.error("Building …");
  run(process.execPath, [join(root, "src", "build.mjs")]);
}

const [job, ...args] = process.argv.slice(2);
if (job === "test") {
  run(process.execPath, [
    join(root, "node_modules", "vitest", "vitest.mjs"),
    "run",
    "--config",
    "test/vitest.config.ts",
    ...args,
  ]);
} else {
  run(process.execPath, [mainFile, job, ...args]);
}
