import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const SHARED = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "shared");

/**
 * Path of a file of the reference material beside the project, or null where it is absent; tests that need it skip.
 * @throws under CI, where its absence is a failure
 */
export function sharedFile(path: string): string | null {
  const file = join(SHARED, path);
  if (existsSync(file)) return file;
  if (process.env.CI === "true") throw new Error(`${file} is missing; CI must have the reference material`);
  return null;
}

export function sharedText(path: string): string {
  return readFileSync(join(SHARED, path), "utf8");
}
