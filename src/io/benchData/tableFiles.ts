import { readdirSync, statSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { DataFileError } from "../../core/errors/simulationError.js";
import { type BenchFamily, familyOfPath } from "./tableFamily.js";

/** A table found in a folder of the bench_data layout. */
export interface TableFile {
  readonly file: string;
  /** Relative to the folder that was searched, with `/`. */
  readonly path: string;
  readonly family: BenchFamily;
  /** The folder's name for the GPU. */
  readonly gpuFolder: string;
  /** File name without `.csv`. */
  readonly name: string;
}

/** What a folder holds. */
export interface TableFiles {
  readonly tables: readonly TableFile[];
  /** CSV files that lie where the layout has no tables. */
  readonly strayFiles: readonly string[];
}

/** Where micro-benchmarks of memory lie, in another format than tables of kernels. */
export const CHARACTERIZATION_FOLDER = "characterization";

/**
 * Finds tables by their place: `gemm/<gpu>/data.csv`, `mha/decode/<gpu>/<heads>-<kvheads>-<dim>[-tpN].csv`, …
 * Sorted by path, so that results do not depend on the file system. Other files than CSV are ignored,
 * and so are the micro-benchmarks beside the tables.
 *
 * @throws DataFileError when the folder is missing
 */
export function findTableFiles(dir: string): TableFiles {
  const stat = statSync(dir, { throwIfNoEntry: false });
  if (stat === undefined) {
    const place = isAbsolute(dir) ? "" : `: looked for ${resolve(dir)}, as paths start from the working directory`;
    throw new DataFileError({ file: dir }, `no such folder${place}; give the folder that holds gemm/, mha/ …`);
  }
  if (!stat.isDirectory())
    throw new DataFileError({ file: dir }, "is a file; give the folder that holds gemm/, mha/ …");
  const paths = readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".csv"))
    .map((path) => relative(dir, join(dir, path)).split(sep).join("/"))
    .sort();
  const tables: TableFile[] = [];
  const strayFiles: string[] = [];
  for (const path of paths) {
    const parts = path.split("/");
    if (parts[0] === CHARACTERIZATION_FOLDER) continue;
    const name = parts.at(-1)!.replace(/\.csv$/, "");
    const family = familyOfPath(parts);
    const gpuFolder = parts.at(-2);
    if (family === null || gpuFolder === undefined) strayFiles.push(path);
    else tables.push({ file: join(dir, path), path, family, gpuFolder, name });
  }
  return { tables, strayFiles };
}

const ALIASES: Readonly<Record<string, string>> = { a100: "a100-80", "a100-80gb": "a100-80", "a100-40gb": "a100-40" };

/** The id, in lower case, of the GPU a folder is named after: `h100_sxm` → `h100`, `a100` → `a100-80`. */
export function gpuOfFolder(folder: string): string {
  const plain = folder
    .toLowerCase()
    .replaceAll("_", "-")
    .replace(/-sxm\d?(?=$|-)/, "");
  return ALIASES[plain] ?? plain;
}

/** The folder that roofserve itself writes a GPU's tables to. */
export function folderOfGpu(gpuId: string): string {
  return gpuId.toLowerCase();
}
