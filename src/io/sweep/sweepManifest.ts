import { existsSync, statSync } from "node:fs";
import type { Sweep } from "../../core/analysis/sweep/runSweep.js";
import { type SweepGrid, sweepConfig } from "../../core/analysis/sweep/sweepResult.js";
import { ROOFSERVE_VERSION } from "../../core/engine/version.js";
import { sha256 } from "../pricingFiles.js";
import type { SweepManifest } from "./runJournal.js";

/** What tells this sweep from another: what was asked for, roofserve's version, and the contents of the files it names. */
export function sweepManifest(sweep: Sweep, grid: SweepGrid): SweepManifest {
  const files = new Set<string>();
  for (const { model, gpu, workload } of sweep.series.flatMap(({ configs }) => configs)) {
    const named = [model, gpu, ...(workload.data.kind === "trace" ? [workload.data.path] : [])];
    for (const file of named) if (existsSync(file) && statSync(file).isFile()) files.add(file);
  }
  return {
    version: ROOFSERVE_VERSION,
    sweep: { config: sweepConfig(sweep), grid },
    inputs: Object.fromEntries([...files].sort().map((file) => [file, sha256(file)])),
  };
}
