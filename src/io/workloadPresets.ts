import { existsSync } from "node:fs";
import { join } from "node:path";
import { nearestName } from "../core/config/nearestName.js";
import { parseConfig } from "../core/config/parseConfig.js";
import { ConfigError, DataFileError } from "../core/errors/simulationError.js";
import { type WorkloadConfig, workloadConfigSchema } from "../core/workload/workloadConfig.js";
import { PACKAGE_ROOT } from "./packageRoot.js";
import { readStructuredFile } from "./structuredFile.js";

/** Names of the workloads that ship in `workloads/`. */
export const WORKLOAD_PRESETS = ["chat", "code", "summarise", "rag", "reasoning", "agent"] as const;
export type WorkloadPreset = (typeof WORKLOAD_PRESETS)[number];

/**
 * Loads a workload by the name of a preset, or from a YAML or JSON file of the same shape.
 * @throws ConfigError for an unknown name or a value out of range, DataFileError for a missing or malformed file
 */
export function loadWorkloadPreset(nameOrFile: string): WorkloadConfig {
  const file = workloadFile(nameOrFile);
  return parseConfig(workloadConfigSchema, readStructuredFile(file), file);
}

function workloadFile(nameOrFile: string): string {
  const preset = WORKLOAD_PRESETS.find((name) => name === nameOrFile.toLowerCase());
  if (preset !== undefined) return join(PACKAGE_ROOT, "workloads", `${preset}.json`);
  if (existsSync(nameOrFile)) return nameOrFile;
  if (/[\\/]|\.(ya?ml|json)$/i.test(nameOrFile)) {
    throw new DataFileError({ file: nameOrFile }, "no such file; check the path");
  }
  const nearest = nearestName(nameOrFile, WORKLOAD_PRESETS);
  const hint = nearest === null ? "" : `; did you mean ${nearest}?`;
  const allowed = `must be one of ${WORKLOAD_PRESETS.join(", ")}, or a YAML or JSON file${hint}`;
  throw new ConfigError([{ path: "--workload", received: JSON.stringify(nameOrFile), allowed }]);
}
