import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { DataFileError } from "../../core/errors/simulationError.js";
import { makeFolders, refuseOtherThanFile } from "./outputFolder.js";

/** Characters gathered before a write: few system calls, little memory. */
const CHUNK_CHARACTERS = 1 << 20;

/**
 * A file that appears whole or not at all: written piece by piece under a temporary name, in bounded memory, and
 * renamed at the end, so that a reader never sees half of it and a failed run leaves the old one. Makes the folder if
 * need be. End with `commit` or `discard`.
 * @throws DataFileError, from every method but `discard`, when the place cannot be written
 */
export class AtomicFile {
  readonly #file: string;
  readonly #temporary: string;
  readonly #descriptor: number;
  #pending: string[] = [];
  #numCharacters = 0;
  #isOpen = true;

  constructor(file: string) {
    this.#file = file;
    // Of this process alone: two runs that write one file do not write into each other's.
    this.#temporary = `${file}.${process.pid}.tmp`;
    refuseOtherThanFile(file);
    this.#descriptor = this.#attempt(() => {
      makeFolders(dirname(file));
      return openSync(this.#temporary, "w");
    });
  }

  write(piece: string): void {
    this.#pending.push(piece);
    this.#numCharacters += piece.length;
    if (this.#numCharacters >= CHUNK_CHARACTERS) this.#attempt(() => this.#flush());
  }

  writeBytes(bytes: Uint8Array): void {
    this.#attempt(() => {
      this.#flush();
      this.#writeAll(bytes);
    });
  }

  commit(): void {
    this.#attempt(() => {
      this.#flush();
      this.#close();
      renameSync(this.#temporary, this.#file);
    });
  }

  /** Leaves no trace. Safe after any failure. */
  discard(): void {
    this.#close();
    rmSync(this.#temporary, { force: true });
  }

  #flush(): void {
    this.#writeAll(Buffer.from(this.#pending.join(""), "utf8"));
    this.#pending = [];
    this.#numCharacters = 0;
  }

  #writeAll(bytes: Uint8Array): void {
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#descriptor, bytes, written);
  }

  #close(): void {
    if (this.#isOpen) closeSync(this.#descriptor);
    this.#isOpen = false;
  }

  #attempt<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new DataFileError({ file: this.#file }, `cannot be written (${code}); choose a folder that can`);
    }
  }
}

/**
 * Writes a file of bytes, whole or not at all.
 * @throws DataFileError when the place cannot be written
 */
export function writeBytesAtomically(file: string, bytes: Uint8Array): void {
  const output = new AtomicFile(file);
  try {
    output.writeBytes(bytes);
    output.commit();
  } catch (error) {
    output.discard();
    throw error;
  }
}

/**
 * Writes a text file from its pieces, whole or not at all.
 * @throws DataFileError when the place cannot be written, and whatever making a piece throws
 */
export function writeFileAtomically(file: string, pieces: Iterable<string>): void {
  const output = new AtomicFile(file);
  try {
    for (const piece of pieces) output.write(piece);
    output.commit();
  } catch (error) {
    output.discard();
    throw error;
  }
}
