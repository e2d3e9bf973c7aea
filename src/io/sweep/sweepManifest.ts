import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Sweep } from "../../core/analysis/sweep/runSweep.js";
import { type SweepGrid, sweepConfig } from "../../core/analysis/sweep/sweepResult.js";
import { ROOFSERVE_VERSION } from "../../core/engine/version.js";
import { sha256 } from "../pricingFiles.js";
import type { SweepManifest } from "./runJournal.js";

/** What tells this sweep from another: what was asked for, roofserve's version, and the contents of the files it names. */
export function sweepManifest(sweep: Sweep, grid: SweepGrid): SweepManifest {
  const files = new Set<string>();
  for (const { model, gpu, benchData, workload } of sweep.series.flatMap(({ configs }) => configs)) {
    const trace = workload.data.kind === "trace" ? [workload.data.path] : [];
    for (const place of [model, gpu, benchData ?? "", ...trace]) for (const file of filesAt(place)) files.add(file);
  }
  return {
    version: ROOFSERVE_VERSION,
    sweep: { config: sweepConfig(sweep), grid },
    inputs: Object.fromEntries([...files].sort().map((file) => [file, sha256(file)])),
  };
}

/** The file of this name, or all files in a folder of this name; none where it is a built-in's. */
export function filesAt(place: string): string[] {
  if (place === "" || !existsSync(place)) return [];
  if (!statSync(place).isDirectory()) return [place];
  const entries = readdirSync(place, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}
