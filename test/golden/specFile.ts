import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const specsRoot = resolve(dirname(fileURLToPath(import.meta.url)), "../../../shared/specs");

/**
 * Parses a vector file of the specs beside the project; null when they are not here, which is an error in CI.
 * @param path below the specs folder
 */
export function readSpecJson(path: string): unknown {
  const file = join(specsRoot, path);
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8"));
  if (process.env.CI === "true") throw new Error(`${path} is missing beside the project; CI must have it`);
  return null;
}
