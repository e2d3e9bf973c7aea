import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { RunTask, SweepTask, TaskOutcome } from "../../core/analysis/sweep/sweepTask.js";
import { ConfigError } from "../../core/errors/simulationError.js";
import { readOptionalDataText } from "../dataFile/dataFile.js";
import { writeFileAtomically } from "../results/atomicFile.js";
import { FolderLock } from "./folderLock.js";
import { OutcomeJournal } from "./outcomeJournal.js";
import { extendedManifest, isManifest, manifestText, type SweepManifest } from "./sweepManifest.js";
import { taskKey } from "./taskKey.js";

/**
 * The finished runs of a sweep, on disk in its `runs.jsonl`. A run is known by everything it depends on, so that a sweep
 * may grow: what it asks for and has is taken, what it no longer asks for stays.
 */
export class RunJournal {
  readonly #outcomes: OutcomeJournal<TaskOutcome>;
  readonly #asked = new Set<string>();
  readonly #lock: FolderLock;

  private constructor(outcomes: OutcomeJournal<TaskOutcome>, lock: FolderLock) {
    this.#outcomes = outcomes;
    this.#lock = lock;
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
      const outcomes = new OutcomeJournal<TaskOutcome>(files.runs, BROKEN_LINE);
      const extended = outcomes.keys.length === 0 ? manifest : extendedManifest(folder, files.manifest, manifest);
      writeFileAtomically(files.manifest, [manifestText(extended)]);
      return new RunJournal(outcomes, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Runs that were there when it was opened. */
  get numFound(): number {
    return this.#outcomes.keys.length;
  }

  /** Those of them that nobody has asked for yet. */
  get numNotAsked(): number {
    return this.#outcomes.keys.filter((key) => !this.#asked.has(key)).length;
  }

  /**
   * Runs tasks by what is on disk, else by `runTask`, and keeps what it gives.
   * @param hasFiles whether what else a run of this task leaves on disk is there; where it is not, it is run again for that
   */
  keeping(runTask: RunTask, hasFiles: (task: SweepTask) => boolean = () => true): RunTask {
    return async (task) => {
      const key = taskKey(task);
      this.#asked.add(key);
      const known = this.#outcomes.find(key);
      if (known?.run !== undefined && !hasFiles(task)) return runTask(task);
      if (known !== undefined) return known;
      const outcome = await runTask(task);
      this.#outcomes.keep(key, outcome, { point: task.point.label, seed: task.config.seed });
      return outcome;
    };
  }

  close(): void {
    this.#outcomes.close();
    this.#lock.release();
  }
}

const BROKEN_LINE = "a line that a sweep wrote; remove it, or start over with --restart";

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
