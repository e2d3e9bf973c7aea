import { closeSync, existsSync, fsyncSync, openSync, readdirSync, rmSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { SweepRun } from "../../core/analysis/sweep/sweepRun.js";
import type { RunTask, SweepTask, TaskFailure, TaskOutcome } from "../../core/analysis/sweep/sweepTask.js";
import { ConfigError, DataFileError } from "../../core/errors/simulationError.js";
import { readOptionalDataText } from "../dataFile/dataFile.js";
import { writeFileAtomically } from "../results/atomicFile.js";
import { FolderLock } from "./folderLock.js";
import { extendedManifest, isManifest, manifestText, type SweepManifest } from "./sweepManifest.js";
import { taskKey } from "./taskKey.js";

/**
 * The finished runs of a sweep, on disk: a line of `runs.jsonl` each, written the moment it ends and forced to the disk,
 * so that whatever ends the process costs the runs under way and no more. A run is known by everything it depends on, so
 * that a sweep may grow: what it asks for and has is taken, what it no longer asks for stays.
 */
export class RunJournal {
  readonly #known: Map<string, TaskOutcome>;
  readonly #asked = new Set<string>();
  readonly #descriptor: number;
  /** Runs that were there when it was opened. */
  readonly numFound: number;

  readonly #lock: FolderLock;

  private constructor(known: Map<string, TaskOutcome>, descriptor: number, lock: FolderLock) {
    this.#known = known;
    this.#descriptor = descriptor;
    this.#lock = lock;
    this.numFound = known.size;
  }

  /**
   * Opens the journal of a run directory that exists, or begins it.
   * @param startOver forget what is there
   * @throws ConfigError where another process writes there, or it holds runs of a sweep that this one does not extend, naming every difference; DataFileError for a broken file
   */
  static open(folder: string, manifest: SweepManifest, startOver: boolean): RunJournal {
    const files = { manifest: join(folder, "manifest.json"), runs: join(folder, "runs.jsonl") };
    const lock = FolderLock.take(folder);
    try {
      requireOwnFolder(folder, files.manifest);
      removeTemporaryFiles(folder);
      if (startOver) forgetSweep(folder);
      const { known, numBytes } = readRuns(files.runs);
      const extended = known.size === 0 ? manifest : extendedManifest(folder, files.manifest, manifest);
      writeFileAtomically(files.manifest, [manifestText(extended)]);
      // A line that a kill cut short would spoil the next one.
      if (existsSync(files.runs)) truncateSync(files.runs, numBytes);
      return new RunJournal(known, openSync(files.runs, "a"), lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Known runs that nobody has asked for yet. */
  get numNotAsked(): number {
    return [...this.#known.keys()].filter((key) => !this.#asked.has(key)).length;
  }

  /**
   * Runs tasks by what is on disk, else by `runTask`, and keeps what it gives.
   * @param hasFiles whether what else a run of this task leaves on disk is there; where it is not, it is run again for that
   */
  keeping(runTask: RunTask, hasFiles: (task: SweepTask) => boolean = () => true): RunTask {
    return async (task) => {
      const key = taskKey(task);
      this.#asked.add(key);
      const known = this.#known.get(key);
      if (known?.run !== undefined && !hasFiles(task)) return runTask(task);
      if (known !== undefined) return known;
      const outcome = await runTask(task);
      // A full disk or a bug may be gone the next time; what the config says is the same then.
      const isLasting = outcome.failure === undefined || ["config", "capacity"].includes(outcome.failure.code);
      if (isLasting) this.#append({ key, point: task.point.label, seed: task.config.seed, ...outcome });
      return outcome;
    };
  }

  close(): void {
    closeSync(this.#descriptor);
    this.#lock.release();
  }

  #append(line: object): void {
    writeSync(this.#descriptor, `${JSON.stringify(line)}\n`);
    fsyncSync(this.#descriptor);
  }
}

/** What a sweep writes into its run directory. */
const SWEEP_FILES =
  /^(manifest\.json|runs\.jsonl|sweep\.json|points\.csv|guidellm(-\d+-.*)?\.json|benchmarks|vllm-bench)$/;

/**
 * A run directory is empty at first, and then known by its manifest: what another program, or another command, left under the
 * names that a sweep writes is not touched.
 */
function requireOwnFolder(folder: string, manifestFile: string): void {
  const [taken] = isManifest(readOptionalDataText(manifestFile))
    ? []
    : readdirSync(folder).filter((name) => SWEEP_FILES.test(name) || name === "summary.json");
  if (taken === undefined) return;
  const allowed = `holds a ${taken} that no sweep wrote: choose an empty or a new folder`;
  throw new ConfigError([{ path: "--out", received: folder, allowed }]);
}

/** What a kill left half-written. */
function removeTemporaryFiles(folder: string): void {
  for (const place of [folder, join(folder, "benchmarks"), join(folder, "vllm-bench")]) {
    const names = existsSync(place) ? readdirSync(place).filter((name) => /\.\d+\.tmp$/.test(name)) : [];
    for (const name of names) rmSync(join(place, name));
  }
}

function forgetSweep(folder: string): void {
  const names = readdirSync(folder).filter((name) => SWEEP_FILES.test(name));
  for (const name of names) rmSync(join(folder, name), { recursive: true });
}

/** The runs of a file, and the bytes up to the end of its last whole line. */
function readRuns(file: string): { known: Map<string, TaskOutcome>; numBytes: number } {
  const text = readOptionalDataText(file) ?? "";
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const known = new Map<string, TaskOutcome>();
  whole.split("\n").forEach((line, row) => {
    if (line === "") return;
    const { key, run, failure } = parseLine(line, file, row + 1);
    known.set(key, failure === undefined ? { run: run as SweepRun } : { failure });
  });
  return { known, numBytes: Buffer.byteLength(whole) };
}

/** A run as `keeping` writes it, after which nobody is expected to edit it. */
interface Line {
  readonly key: string;
  readonly run?: SweepRun;
  readonly failure?: TaskFailure;
}

function parseLine(line: string, file: string, row: number): Line {
  try {
    return JSON.parse(line) as Line;
  } catch {
    throw new DataFileError({ file, row }, "is not a line that a sweep wrote; remove it, or start over with --restart");
  }
}
