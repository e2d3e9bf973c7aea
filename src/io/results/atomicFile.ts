import { closeSync, existsSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { DataFileError } from "../../core/errors/simulationError.js";
import { makeFolders } from "./outputFolder.js";

/** Characters gathered before a write: few system calls, little memory. */
const CHUNK_CHARACTERS = 1 << 20;

/**
 * Writes a text file piece by piece under a temporary name and renames it at the end, so that a reader never sees
 * half a file and a failed run leaves the old one. Makes the folder if need be.
 * @throws DataFileError when the place cannot be written
 */
export function writeFileAtomically(file: string, pieces: Iterable<string>): void {
  const temporary = `${file}.tmp`;
  try {
    makeFolders(dirname(file));
    const descriptor = openSync(temporary, "w");
    try {
      writePieces(descriptor, pieces);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } catch (error) {
    if (existsSync(temporary)) rmSync(temporary);
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    throw new DataFileError({ file }, `cannot be written (${code}); choose a folder that can`);
  }
}

function writePieces(descriptor: number, pieces: Iterable<string>): void {
  let pending: string[] = [];
  let numCharacters = 0;
  const flush = (): void => {
    const bytes = Buffer.from(pending.join(""), "utf8");
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
    pending = [];
    numCharacters = 0;
  };
  for (const piece of pieces) {
    pending.push(piece);
    numCharacters += piece.length;
    if (numCharacters >= CHUNK_CHARACTERS) flush();
  }
  flush();
}
