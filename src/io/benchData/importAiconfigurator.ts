import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, DataFileError } from "../../core/errors/simulationError.js";
import { AICONFIGURATOR_FAMILIES, type AiconfiguratorFamily } from "./aiconfiguratorTables.js";
import { readParquet } from "./parquetRows.js";
import { folderOfGpu, gpuOfFolder } from "./tableFiles.js";
import { writeTable } from "./writeTable.js";

export interface ImportOptions {
  /** Id of the only GPU to import; all by default. */
  readonly gpu?: string;
  /** Take the tables of this vLLM version, or of the last one before it that has any; newest by default. */
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
  for (const { gpu, vllmVersion, file, family } of jobs) {
    options.onProgress?.({ numFilesDone: imported.length, numFiles: jobs.length, file });
    const rows = await readParquet(file, family.columns, family.optionalColumns);
    const converted = family.convert(rows, folderOfGpu(gpu), `aiconfigurator vllm-${vllmVersion}`);
    let numRowsWritten = 0;
    for (const [path, table] of converted.tables) {
      writeTable(join(outDir, path), table);
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
    AICONFIGURATOR_FAMILIES.flatMap((family): ImportJob[] => {
      const folder = join(dataDir, system, family.folder, "vllm");
      const vllmVersion = pickVersion(folder, family.parquet, options.vllmVersion);
      if (vllmVersion === null) return [];
      return [{ gpu: gpuOfFolder(system), vllmVersion, file: join(folder, vllmVersion, family.parquet), family }];
    }),
  );
  if (jobs.length === 0) throw new DataFileError({ file: dataDir }, "has no vLLM tables for the wanted GPU");
  return jobs;
}

/** The wanted version, else the last before it, else the first after it; the newest when none is wanted. */
function pickVersion(folder: string, parquet: string, wanted: string | undefined): string | null {
  if (!existsSync(folder)) return null;
  const versions = subfolders(folder)
    .filter((version) => existsSync(join(folder, version, parquet)))
    .sort(compareVersions);
  if (wanted === undefined) return versions.at(-1) ?? null;
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
