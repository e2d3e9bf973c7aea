import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, DataFileError } from "../../core/errors/simulationError.js";
import { AICONFIGURATOR_FAMILIES, type AiconfiguratorFamily, mergeTables } from "./aiconfiguratorTables.js";
import { DEFAULT_TABLE_VERSION, TABLE_VERSIONS, type TableVersions } from "./aiconfiguratorVersions.js";
import { readParquet } from "./parquetRows.js";
import { folderOfGpu, gpuOfFolder } from "./tableFiles.js";
import { type TableText, writeTable } from "./writeTable.js";

export interface ImportOptions {
  /** Id of the only GPU to import; all by default. */
  readonly gpu?: string;
  /**
   * Take the tables of this vLLM version, or of the last one before it that has any; by default those to believe, by family
   * and element type (`TABLE_VERSIONS`).
   */
  readonly vllmVersion?: string;
  /** Called before each parquet file is read. */
  readonly onProgress?: (progress: ImportProgress) => void;
}

export interface ImportProgress {
  readonly numFilesDone: number;
  readonly numFiles: number;
  /** The file about to be read. */
  readonly file: string;
}

/** What one parquet file gave. */
export interface ImportedFile {
  /** GPU id in lower case, as the folders are named. */
  readonly gpu: string;
  readonly parquet: string;
  readonly vllmVersion: string;
  /** Of the element types that this version was taken for. */
  readonly numRowsRead: number;
  readonly numRowsWritten: number;
  readonly numTables: number;
  /** Rows left out, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

interface ImportJob {
  readonly gpu: string;
  readonly vllmVersion: string;
  readonly file: string;
  readonly family: AiconfiguratorFamily;
  /** Whether rows of an element type come from this version. */
  readonly takes: (dtype: string | undefined) => boolean;
}

/** Where a checkout may keep its systems, newest layout last. */
const SYSTEMS_FOLDERS = [
  "systems/data",
  "src/aiconfigurator/systems/data",
  "aic-core/src/aiconfigurator_core/systems/data",
  "data",
];

/**
 * Converts NVIDIA's open operator database to bench_data tables: vLLM's GEMM, attention, MoE and all-reduce kernels.
 * Each table is written whole or not at all; nothing else in `outDir` is touched.
 *
 * @param checkoutDir the repository, or a folder that contains its `systems/`
 * @throws DataFileError when there is no database, or a file cannot be read
 * @throws ConfigError when the wanted GPU is not in it
 */
export async function importAiconfigurator(
  checkoutDir: string,
  outDir: string,
  options: ImportOptions = {},
): Promise<ImportedFile[]> {
  const jobs = planImport(checkoutDir, options);
  const imported: ImportedFile[] = [];
  const written = new Map<string, TableText>();
  for (const { gpu, vllmVersion, file, family, takes } of jobs) {
    options.onProgress?.({ numFilesDone: imported.length, numFiles: jobs.length, file });
    const all = await readParquet(file, family.columns, family.optionalColumns);
    const rows = all.filter((row) => takes(family.dtypeOf(row)));
    const converted = family.convert(rows, folderOfGpu(gpu), `aiconfigurator vllm-${vllmVersion}`);
    let numRowsWritten = 0;
    for (const [path, table] of converted.tables) {
      const former = written.get(path);
      const merged = former === undefined ? table : mergeTables(former, table);
      written.set(path, merged);
      writeTable(join(outDir, path), merged);
      numRowsWritten += table.rows.length;
    }
    const numTables = converted.tables.size;
    const summary = { gpu, parquet: family.parquet, vllmVersion, numRowsRead: rows.length, numRowsWritten, numTables };
    imported.push({ ...summary, skipped: converted.skipped });
  }
  return imported;
}

/** Where a checkout keeps its measurements; null when the folder is none. */
export function systemsFolder(checkoutDir: string): string | null {
  return SYSTEMS_FOLDERS.map((folder) => join(checkoutDir, folder)).find((dir) => existsSync(dir)) ?? null;
}

function planImport(checkoutDir: string, options: ImportOptions): ImportJob[] {
  if (options.vllmVersion !== undefined && !/^v?\d+(\.\d+)*$/.test(options.vllmVersion)) {
    const allowed = "must be a version such as 0.14 or 0.14.0";
    throw new ConfigError([{ path: "--vllm-version", received: JSON.stringify(options.vllmVersion), allowed }]);
  }
  const dataDir = systemsFolder(checkoutDir);
  if (dataDir === null) {
    const problem = `has no ${SYSTEMS_FOLDERS.join(", ")}; give a checkout of aiconfigurator, Git LFS files included`;
    throw new DataFileError({ file: checkoutDir }, problem);
  }
  const systems = subfolders(dataDir);
  const wanted = systems.filter(
    (system) => options.gpu === undefined || gpuOfFolder(system) === options.gpu.toLowerCase(),
  );
  if (wanted.length === 0) {
    const allowed = `must be one of ${systems.map(gpuOfFolder).join(", ")}, the GPUs in ${dataDir}`;
    throw new ConfigError([{ path: "--gpu", received: options.gpu ?? "none", allowed }]);
  }
  const jobs = wanted.flatMap((system) =>
    AICONFIGURATOR_FAMILIES.flatMap((family) =>
      familyJobs(join(dataDir, system, family.folder, "vllm"), gpuOfFolder(system), family, options.vllmVersion),
    ),
  );
  if (jobs.length === 0) throw new DataFileError({ file: dataDir }, "has no vLLM tables for the wanted GPU");
  return jobs;
}

/** One file where all element types are taken from one version, else one for each version. */
function familyJobs(
  folder: string,
  gpu: string,
  family: AiconfiguratorFamily,
  wanted: string | undefined,
): ImportJob[] {
  const pick = (version: string) => pickVersion(folder, family.parquet, version);
  const believed = wanted === undefined ? believedVersions(gpu, family) : {};
  const usual = pick(wanted ?? believed.bf16 ?? DEFAULT_TABLE_VERSION);
  if (usual === null) return [];
  const versionOf = (dtype: string | undefined) => {
    const version = dtype === undefined ? undefined : believed[dtype];
    return version === undefined ? usual : pick(version);
  };
  const versions = [...new Set([usual, ...Object.keys(believed).map(versionOf)])].filter((one) => one !== null);
  return versions.map((vllmVersion) => ({
    gpu,
    vllmVersion,
    file: join(folder, vllmVersion, family.parquet),
    family,
    takes: (dtype) => versionOf(dtype) === vllmVersion,
  }));
}

/** Versions by element type; all-reduce has one, whatever is reduced. */
function believedVersions(gpu: string, { versions }: AiconfiguratorFamily): Readonly<Record<string, string>> {
  const known = Object.entries<TableVersions>(TABLE_VERSIONS).find(([id]) => id.toLowerCase() === gpu);
  if (known === undefined) return {};
  const [, { [versions]: found }] = known;
  return typeof found === "string" ? { bf16: found } : found;
}

/** The wanted version, else the last before it, else the first after it; null where no version has the file. */
function pickVersion(folder: string, parquet: string, wanted: string): string | null {
  if (!existsSync(folder)) return null;
  const versions = subfolders(folder)
    .filter((version) => existsSync(join(folder, version, parquet)))
    .sort(compareVersions);
  const release = wanted.replace(/^v/, "");
  return versions.findLast((version) => compareVersions(version, release) <= 0) ?? versions[0] ?? null;
}

/** 0.9 before 0.14; parts that are no numbers count as 0. */
function compareVersions(a: string, b: string): number {
  const numbers = (version: string) => version.split(".").map((part) => Number.parseInt(part, 10) || 0);
  const left = numbers(a);
  const right = numbers(b);
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function subfolders(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}
