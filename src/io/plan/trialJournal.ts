import { createHash } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { PlanOutcome, PlanTask, RunPlanTask } from "../../core/analysis/plan/planTrial.js";
import { ConfigError, DataFileError } from "../../core/errors/simulationError.js";
import { readOptionalDataText } from "../dataFile/dataFile.js";
import { FolderLock } from "../sweep/folderLock.js";

/** Name of the journal in a plan's folder. */
export const TRIALS_FILE = "trials.jsonl";
/** What a plan leaves in its folder when it is done. */
export const PLAN_FILES = { json: "plan.json", csv: "plan.csv" } as const;

/**
 * The finished trials of plans, on disk: a line each, written the moment it ends and forced to the disk, so that whatever ends
 * the process costs the trials under way and no more. A trial is known by everything that it depends on: a plan of another
 * question takes what it shares with those before, and nothing else.
 */
export class TrialJournal {
  readonly #known: Map<string, PlanOutcome>;
  readonly #descriptor: number;
  readonly #lock: FolderLock;
  readonly #context: unknown;
  /** Trials that were there when it was opened. */
  readonly numFound: number;

  private constructor(known: Map<string, PlanOutcome>, descriptor: number, lock: FolderLock, context: unknown) {
    this.#known = known;
    this.#descriptor = descriptor;
    this.#lock = lock;
    this.#context = context;
    this.numFound = known.size;
  }

  /**
   * Opens the journal of a folder that exists, or begins it.
   * @param context what a trial depends on beside its task: roofserve's version, the contents of files
   * @throws ConfigError where another process writes there, or another command did; DataFileError for a broken line
   */
  static open(folder: string, context: unknown): TrialJournal {
    const file = join(folder, TRIALS_FILE);
    const lock = FolderLock.take(folder);
    try {
      requireOwnFolder(folder);
      const { known, numBytes } = readTrials(file);
      // A line that a kill cut short would spoil the next one.
      if (existsSync(file)) truncateSync(file, numBytes);
      return new TrialJournal(known, openSync(file, "a"), lock, context);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Runs tasks by what is on disk, else by `runTask`, and keeps what it gives. */
  keeping(runTask: RunPlanTask): RunPlanTask {
    return async (task) => {
      const key = this.#keyOf(task);
      const known = this.#known.get(key);
      if (known !== undefined) return known;
      const outcome = await runTask(task);
      // A full disk or a bug may be gone the next time; what the config says is the same then.
      const isLasting = outcome.failure === undefined || ["config", "capacity"].includes(outcome.failure.code);
      if (isLasting) this.#append({ key, ...outcome });
      return outcome;
    };
  }

  close(): void {
    closeSync(this.#descriptor);
    this.#lock.release();
  }

  #keyOf({ config, slo, stopsEarly }: PlanTask): string {
    const all = JSON.stringify([this.#context, config, slo, stopsEarly]);
    return createHash("sha256").update(all).digest("hex").slice(0, 32);
  }

  #append(line: object): void {
    writeSync(this.#descriptor, `${JSON.stringify(line)}\n`);
    fsyncSync(this.#descriptor);
  }
}

/** What other commands leave in their folders, and a plan's results without its trials: not to be written over. */
const OTHERS_FILES = /^(summary\.json|sweep\.json|manifest\.json|plan\.json|plan\.csv)$/;

function requireOwnFolder(folder: string): void {
  const names = readdirSync(folder);
  const taken = names.includes(TRIALS_FILE) ? undefined : names.find((name) => OTHERS_FILES.test(name));
  if (taken === undefined) return;
  const allowed = `holds a ${taken} without a ${TRIALS_FILE}, which no plan leaves: choose an empty or a new folder`;
  throw new ConfigError([{ path: "--out", received: folder, allowed }]);
}

/** The trials of a file, and the bytes up to the end of its last whole line. */
function readTrials(file: string): { known: Map<string, PlanOutcome>; numBytes: number } {
  const text = readOptionalDataText(file) ?? "";
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const known = new Map<string, PlanOutcome>();
  whole.split("\n").forEach((line, row) => {
    if (line === "") return;
    const { key, ...outcome } = parseLine(line, file, row + 1);
    known.set(key, outcome);
  });
  return { known, numBytes: Buffer.byteLength(whole) };
}

/** A line as `keeping` writes it, after which nobody is expected to edit it. */
function parseLine(line: string, file: string, row: number): PlanOutcome & { readonly key: string } {
  try {
    return JSON.parse(line);
  } catch {
    throw new DataFileError({ file, row }, "is not a line that a plan wrote; remove it, or choose another --out");
  }
}
