import { accessSync, constants, existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { DataFileError } from "../../core/errors/simulationError.js";

/** What `run --out` leaves in its folder. */
export const RUN_FILES = ["summary.json", "requests.csv", "requests.jsonl", "guidellm.json", "trace.json"] as const;

/**
 * Says early, before an expensive run, that its output could not be written; creates nothing.
 * @throws DataFileError when the folder, or the nearest one above it that exists, cannot take files
 */
export function requireWritableFolder(folder: string): void {
  let existing = resolve(folder);
  while (!existsSync(existing)) existing = dirname(existing);
  if (!statSync(existing).isDirectory()) {
    throw new DataFileError({ file: folder }, `cannot be written: ${existing} is a file; choose a folder`);
  }
  try {
    accessSync(existing, constants.W_OK);
  } catch {
    throw new DataFileError({ file: folder }, `cannot be written: no permission in ${existing}; choose another folder`);
  }
}

/**
 * The same for a file, which may be there already.
 * @throws DataFileError also when something else than a file has its name
 */
export function requireWritableFile(file: string): void {
  requireWritableFolder(dirname(file));
  refuseOtherThanFile(file);
}

/** @throws DataFileError when something else than a file has this name */
export function refuseOtherThanFile(file: string): void {
  if (!existsSync(file) || statSync(file).isFile()) return;
  throw new DataFileError({ file }, "cannot be written: it exists and is no file; choose another name");
}

/** The absolute path of a file that may not exist yet, with no link among its folders: equal for equal places. */
export function placeOf(file: string): string {
  const folder = dirname(resolve(file));
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  return join(realpathSync(existing), relative(existing, folder), basename(file));
}

/** Makes a folder and those above it. Node's own recursion never returns where a file system refuses new folders. */
export function makeFolders(folder: string): void {
  try {
    makeFolder(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    makeFolders(dirname(resolve(folder)));
    makeFolder(folder);
  }
}

/** To look first whether it is there would not do: threads of a sweep make the same folder at the same time. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}
