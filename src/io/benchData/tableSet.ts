import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { DataFileError } from "../../core/errors/simulationError.js";
import { groupRows } from "../../core/kernels/tables/tableReading.js";
import { shortSha256 } from "../pricingFiles.js";
import { makeFolders, placeOf, requireWritableFolder } from "../results/outputFolder.js";
import { COLLECTED_FILE, COLLECTED_FOLDER } from "./collectedSidecar.js";
import { folderOfGpu, gpuOfFolder } from "./tableFiles.js";

/** A file on its way into a set. */
export interface TableSetFile {
  readonly from: string;
  /** Its place in the set, with `/`. */
  readonly path: string;
  /** Lines to leave out, from 1. */
  readonly withoutLines: readonly number[];
}

/** What a set may hold at its top: kernel tables, what was measured beside them, and where they come from. */
const SET_FOLDERS = [
  ...["gemm", "grouped_gemm", "mha", "mla", "gdn", "dsa", "all_reduce"],
  ...["characterization", "elementwise", "decode_mixed", "gemm_variants", "copies", "whole_step"],
  COLLECTED_FOLDER,
];

/** All files of a folder that are about one GPU, with the places they have in a set; sorted. */
export function filesOfGpu(dir: string, gpuId: string): TableSetFile[] {
  const gpu = gpuId.toLowerCase();
  const files = filesIn(dir).flatMap((path): TableSetFile[] => {
    const parts = path.split("/");
    const at = parts.findIndex((part) => gpuOfFolder(part.replace(/\.json$/, "")) === gpu);
    if (at < 1 || !SET_FOLDERS.includes(parts[0]!)) return [];
    const named = parts[at]!.endsWith(".json") ? `${folderOfGpu(gpuId)}.json` : folderOfGpu(gpuId);
    return [{ from: join(dir, path), path: parts.with(at, named).join("/"), withoutLines: [] }];
  });
  const sidecar = join(dir, COLLECTED_FILE);
  if (!existsSync(sidecar)) return files;
  return [...files, { from: sidecar, path: `${COLLECTED_FOLDER}/${folderOfGpu(gpuId)}.json`, withoutLines: [] }];
}

/** What became of the set that was in place. */
export interface Replacement {
  /** The folder that the former set has now; null where there was none, or where it stays. */
  readonly former: string | null;
  /** The set that was there is the same to the byte: it stays. */
  readonly isUnchanged: boolean;
  /** What the former set had and the new one has not, by folder. */
  readonly losses: readonly Loss[];
}

/** Files of a folder that are gone; or, where none is, rows. */
export interface Loss {
  /** In the layout, such as `mha/decode/h200`. */
  readonly folder: string;
  readonly what: "files" | "rows";
  readonly numLost: number;
  /** How many the former set had there. */
  readonly numBefore: number;
}

/** Two measurements of the same shapes differ by what noise left out: a percent or two of the rows. */
const NOTEWORTHY_ROW_LOSS_FRACTION = 0.1;

/**
 * Gives a set new files of some GPUs in place of all it had of them, at once: the new set is put together and checked
 * beside the old one, then takes its name. The old one keeps its content under another name, unless it is the same.
 *
 * @param check throws when the staged set is not sound; then nothing has changed
 * @throws DataFileError when the folder holds anything else, or cannot be written
 */
export function replaceTableSet(
  out: string,
  gpuIds: readonly string[],
  files: readonly TableSetFile[],
  check: (staged: string) => void,
): Replacement {
  requireOwnFolder(out);
  const replaced = existsSync(out) ? gpuIds.flatMap((id) => filesOfGpu(out, id)).map(({ from }) => from) : [];
  const kept = (existsSync(out) ? filesIn(out) : [])
    .map((path): TableSetFile => ({ from: join(out, path), path, withoutLines: [] }))
    .filter(({ from }) => !replaced.includes(from));
  const staged = freeName(`${resolve(out)}.${process.pid}.partial`);
  try {
    makeStaged(staged, out);
    for (const file of [...kept, ...files]) writeSetFile(staged, file);
    check(staged);
    if (isSameSet(staged, out)) return { former: null, isUnchanged: true, losses: [] };
    const losses = lossesBetween(out, staged);
    return { former: takePlace(staged, resolve(out)), isUnchanged: false, losses };
  } finally {
    rmSync(staged, { recursive: true, force: true });
  }
}

/** A folder like any other, which other accounts may read as far as the umask lets them: it becomes the set. */
function makeStaged(staged: string, out: string): void {
  try {
    makeFolders(staged);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DataFileError(
      { file: out },
      `cannot be written: no folder can be made there (${code}); choose another one`,
    );
  }
}

/** Whether two sets hold the same files with the same bytes. */
function isSameSet(staged: string, out: string): boolean {
  if (!existsSync(out)) return false;
  const paths = filesIn(staged);
  if (paths.join("\n") !== filesIn(out).join("\n")) return false;
  return paths.every((path) => readFileSync(join(staged, path)).equals(readFileSync(join(out, path))));
}

function lossesBetween(out: string, staged: string): Loss[] {
  if (!existsSync(out)) return [];
  const after = new Set(filesIn(staged));
  return [...groupRows(filesIn(out), folderInSet)].flatMap(([folder, paths]): Loss[] => {
    const numLost = paths.filter((path) => !after.has(path)).length;
    if (numLost > 0) return [{ folder, what: "files", numLost, numBefore: paths.length }];
    const rowsIn = (dir: string) => paths.reduce((sum, path) => sum + numTableRows(join(dir, path)), 0);
    const numBefore = rowsIn(out);
    const numLostRows = numBefore - rowsIn(staged);
    if (numLostRows <= NOTEWORTHY_ROW_LOSS_FRACTION * numBefore) return [];
    return [{ folder, what: "rows", numLost: numLostRows, numBefore }];
  });
}

/** Lines below the header of a table; other files have none. */
function numTableRows(file: string): number {
  if (!file.endsWith(".csv")) return 0;
  const lines = readFileSync(file, "utf8").split(/\r\n|\n|\r/);
  return lines.filter((line) => line !== "").length - 1;
}

/** `gemm/h200/data.csv` → `gemm/h200`; where a GPU has one file and no folder, that file. */
function folderInSet(path: string): string {
  return path.endsWith(".json") ? path : dirname(path);
}

/** @throws DataFileError */
function requireOwnFolder(out: string): void {
  requireWritableFolder(dirname(resolve(out)));
  requireWritableFolder(out);
  const others = existsSync(out) ? readdirSync(out).filter((name) => !SET_FOLDERS.includes(name)) : [];
  if (others.length === 0) return;
  const problem = `holds other things than kernel tables (${others.slice(0, 3).join(", ")}), which an import would move away`;
  throw new DataFileError({ file: out }, `${problem}; choose a folder of its own`);
}

/**
 * A set and what it is made from must not contain each other: one would be moved away with the other, or copied into it.
 * @throws DataFileError
 */
export function requireApart(source: string, out: string): void {
  const [from, to] = [source, out].map((folder) => `${dirname(placeOf(join(folder, "any file")))}${sep}`) as [
    string,
    string,
  ];
  const remedy = "choose a folder beside it for the set";
  if (from === to) throw new DataFileError({ file: out }, `is the folder that is being imported; ${remedy}`);
  if (from.startsWith(to)) {
    throw new DataFileError({ file: out }, `contains ${source}, which is being imported; ${remedy}`);
  }
  if (to.startsWith(from)) {
    throw new DataFileError({ file: out }, `lies inside ${source}, which is being imported; ${remedy}`);
  }
}

/** Two renames: whatever happens between them, both sets are whole. */
function takePlace(staged: string, out: string): string | null {
  if (existsSync(out) && readdirSync(out).length === 0) rmdirSync(out);
  if (!existsSync(out)) {
    renameSync(staged, out);
    return null;
  }
  const former = freeName(`${out}.before-${shortSha256(out)}`);
  renameSync(out, former);
  try {
    renameSync(staged, out);
  } catch (error) {
    renameSync(former, out);
    throw error;
  }
  return former;
}

function freeName(name: string): string {
  let free = name;
  for (let number = 2; existsSync(free); number += 1) free = `${name}-${number}`;
  return free;
}

function writeSetFile(dir: string, { from, path, withoutLines }: TableSetFile): void {
  const to = join(dir, path);
  makeFolders(dirname(to));
  if (withoutLines.length === 0) {
    copyFileSync(from, to);
    return;
  }
  const left = new Set(withoutLines);
  const text = readFileSync(from, "utf8");
  const end = text.includes("\n") ? "\n" : "\r";
  const lines = text.split(end);
  writeFileSync(to, lines.filter((_, i) => !left.has(i + 1)).join(end));
}

/** Relative paths of all files, with `/`, sorted. */
function filesIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .map((path) => relative(dir, join(dir, path)).split(sep).join("/"))
    .filter((path) => statSync(join(dir, path)).isFile() && !basename(path).startsWith("."))
    .sort();
}
