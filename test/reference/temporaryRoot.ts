import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let root: string;

/**
 * Vitest's global set-up: whatever the tests of one call, and the programs they start, leave among temporary files
 * lies in one folder, which goes when the call ends.
 */
export function setup(): void {
  root = mkdtempSync(join(tmpdir(), "roofserve-tests-"));
  for (const variable of ["TMPDIR", "TEMP", "TMP"]) process.env[variable] = root;
}

export function teardown(): void {
  rmSync(root, { recursive: true, force: true });
}
