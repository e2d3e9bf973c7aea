import { closeSync, existsSync, fsyncSync, openSync, truncateSync, writeFileSync } from "node:fs";
import type { TaskFailure } from "../../core/analysis/sweep/sweepTask.js";
import { DataFileError } from "../../core/errors/simulationError.js";
import { readOptionalDataText } from "../dataFile/dataFile.js";

/** What became of a simulation: numbers under some name, or the failure that there are none. */
interface Outcome {
  readonly failure?: TaskFailure | undefined;
}

/**
 * Outcomes of simulations on disk: a line each, written the moment it ends and forced to the disk, so that whatever ends
 * the process costs the simulations under way and no more. One process writes at a time: hold the folder's lock.
 */
export class OutcomeJournal<T extends Outcome> {
  readonly #file: string;
  readonly #known: Map<string, T>;
  readonly #descriptor: number;
  /** Where the last whole line ends. */
  #numBytes: number;

  /**
   * Opens a file, or begins it; a line that a kill cut short is cut off.
   * @param whatItIs of a broken line, and what to do: "a line that …; remove it, or …"
   * @throws DataFileError for a broken line
   */
  constructor(file: string, whatItIs: string) {
    const { known, numBytes } = readOutcomes<T>(file, whatItIs);
    if (existsSync(file)) truncateSync(file, numBytes);
    this.#file = file;
    this.#known = known;
    this.#descriptor = openSync(file, "a");
    this.#numBytes = numBytes;
  }

  /** Those that were there when it was opened. */
  get keys(): readonly string[] {
    return [...this.#known.keys()];
  }

  /** One that was there when it was opened. */
  find(key: string): T | undefined {
    return this.#known.get(key);
  }

  /**
   * Keeps an outcome that the same simulation would have again: a full disk or a bug may be gone the next time.
   * @param words whatever helps a reader of the file
   * @throws what the disk says when it is full; the lines before stay whole
   */
  keep(key: string, outcome: T, words: object = {}): void {
    if (outcome.failure !== undefined && !["config", "capacity"].includes(outcome.failure.code)) return;
    const line = Buffer.from(`${JSON.stringify({ key, ...words, outcome })}\n`);
    try {
      writeFileSync(this.#descriptor, line);
      fsyncSync(this.#descriptor);
    } catch (error) {
      // Part of the line may be there, and room for the next one soon.
      truncateSync(this.#file, this.#numBytes);
      throw Object.assign(error as Error, { path: this.#file });
    }
    this.#numBytes += line.length;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** A line as `keep` writes it, after which nobody is expected to edit it. */
interface Line<T> {
  readonly key: string;
  readonly outcome: T;
}

/** The outcomes of a file, and the bytes up to the end of its last whole line. */
function readOutcomes<T>(file: string, whatItIs: string): { known: Map<string, T>; numBytes: number } {
  const text = readOptionalDataText(file) ?? "";
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const known = new Map<string, T>();
  whole.split("\n").forEach((line, row) => {
    if (line === "") return;
    const { key, outcome } = parseLine<T>(line, file, row + 1, whatItIs);
    known.set(key, outcome);
  });
  return { known, numBytes: Buffer.byteLength(whole) };
}

function parseLine<T>(line: string, file: string, row: number, whatItIs: string): Line<T> {
  try {
    return JSON.parse(line);
  } catch {
    throw new DataFileError({ file, row }, `is not ${whatItIs}`);
  }
}
