import { createHash } from "node:crypto";
import type { SweepTask } from "../../core/analysis/sweep/sweepTask.js";

/**
 * Names a run by all it depends on but the contents of files, for which the manifest vouches. What the run is called in a
 * sweep, and where it stands there, is no part of that: sweeps that share a folder share it.
 */
export function taskKey({ config, benchmarkIndex }: Pick<SweepTask, "config" | "benchmarkIndex">): string {
  return createHash("sha256")
    .update(JSON.stringify([config, benchmarkIndex]))
    .digest("hex")
    .slice(0, 32);
}
