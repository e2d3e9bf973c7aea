import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Sweep } from "../../core/analysis/sweep/runSweep.js";
import { LOAD_PATHS, type SweepGrid, sweepConfig } from "../../core/analysis/sweep/sweepResult.js";
import { type ConfigDifference, configDifferences } from "../../core/config/compareConfigs.js";
import { printValue } from "../../core/config/parseConfig.js";
import { ROOFSERVE_VERSION } from "../../core/engine/version.js";
import { ConfigError, DataFileError } from "../../core/errors/simulationError.js";
import { readOptionalDataText } from "../dataFile/dataFile.js";
import { engineDefaults, nullWords } from "../engineDefaults.js";
import { sha256 } from "../pricingFiles.js";
import { parseJson } from "../structuredFile.js";

const MANIFEST_SCHEMA = "roofserve.sweep-manifest/1";
/** Differences that a refusal spells out. */
const MAX_SHOWN = 8;

/** What a run directory is of. */
export interface SweepManifest {
  /** roofserve's version. */
  readonly version: string;
  /** What was asked for: what all points have in common, and what was varied. */
  readonly sweep: { readonly config: object; readonly grid: Pick<SweepGrid, "axes"> };
  /** SHA-256 of the files it was made from, by path. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** What was asked for, roofserve's version, and the contents of the files that it names. */
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

/** manifest.json. */
export function manifestText(manifest: SweepManifest): string {
  return `${JSON.stringify({ schema: MANIFEST_SCHEMA, ...manifest }, null, 2)}\n`;
}

/** Whether a text, of whatever file, is a manifest of a sweep. */
export function isManifest(text: string | null): boolean {
  return text?.includes(`"${MANIFEST_SCHEMA.split("/")[0]}/`) === true;
}

/**
 * The manifest of a run directory that a sweep goes on in. It may ask for other loads, seeds, and values of what it or the
 * sweep before it varies; what both hold fixed must be the same, as the version and the contents of files must be. Files that
 * only finished runs were made from stay in it.
 * @param folder @param file its manifest
 * @throws ConfigError naming every difference, DataFileError without a manifest
 */
export function extendedManifest(folder: string, file: string, manifest: SweepManifest): SweepManifest {
  const text = readOptionalDataText(file);
  if (text === null) {
    throw new DataFileError({ file }, "is missing beside finished runs; start over with --restart or another --out");
  }
  const before = parseJson(text, file) as SweepManifest;
  const differences = manifestDifferences(before, JSON.parse(JSON.stringify(manifest)));
  if (differences.length === 0) return { ...manifest, inputs: { ...before.inputs, ...manifest.inputs } };
  const canVary = differences.every(({ path }) => path !== "version" && !(path in before.inputs));
  const both = canVary ? "--vary it to have both in one sweep, " : "";
  const remedy = `${folder} holds runs of that: ${both}choose another --out, or start over with --restart`;
  const shown = differences.slice(0, MAX_SHOWN);
  const defaults = engineDefaults(before.sweep.config);
  const issues = shown.map(({ path, before, after }, i) => ({
    path,
    received: printValue(after),
    allowed: `it was ${before === null ? nullWords(path, defaults) : printValue(before)}${i === shown.length - 1 ? `; ${remedy}` : ""}`,
  }));
  throw new ConfigError(issues);
}

/** Where two sweeps differ in what both hold fixed: a key that only one of them holds fixed varies in the other. */
function manifestDifferences(before: SweepManifest, now: SweepManifest): ConfigDifference[] {
  const free = [before, now].flatMap(({ sweep }) => sweep.grid.axes.map(({ path }) => path)).concat(LOAD_PATHS);
  const isFree = (path: string) => free.some((place) => path === place || path.startsWith(`${place}.`));
  const fixed = (manifest: SweepManifest) => ({ version: manifest.version, ...manifest.sweep.config });
  const configs = configDifferences(fixed(before), fixed(now)).filter(({ path }) => !isFree(path));
  const inputs = configDifferences(before.inputs, now.inputs);
  return [...configs, ...inputs].filter(({ before, after }) => before !== undefined && after !== undefined);
}
