import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../../../shared/ground_truth", import.meta.url));

/** Real runs beside the project; null where they are absent, an error where CI needs them. */
export const groundTruthFolder: string | null = find();

/** Path of a real run; only valid when `groundTruthFolder` is not null. */
export function realRun(...parts: string[]): string {
  return join(folder, ...parts);
}

function find(): string | null {
  if (existsSync(folder)) return folder;
  if (process.env.CI === "true")
    throw new Error("../shared/ground_truth is absent: CI must run the tests that need it");
  console.warn("../shared/ground_truth is absent: tests against real runs are skipped");
  return null;
}
