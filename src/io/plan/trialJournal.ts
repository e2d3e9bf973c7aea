import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { PlanOutcome, PlanTask, RunPlanTask } from "../../core/analysis/plan/planTrial.js";
import { ConfigError } from "../../core/errors/simulationError.js";
import { FolderLock } from "../sweep/folderLock.js";
import { OutcomeJournal } from "../sweep/outcomeJournal.js";

/** Name of the journal in a plan's folder. */
export const TRIALS_FILE = "trials.jsonl";
/** What a plan leaves in its folder when it is done. */
export const PLAN_FILES = { json: "plan.json", csv: "plan.csv" } as const;

/**
 * The finished trials of plans, on disk in their `trials.jsonl`. A trial is known by everything that it depends on: a plan of
 * another question takes what it shares with those before, and nothing else.
 */
export class TrialJournal {
  readonly #outcomes: OutcomeJournal<PlanOutcome>;
  readonly #lock: FolderLock;
  readonly #context: unknown;

  private constructor(outcomes: OutcomeJournal<PlanOutcome>, lock: FolderLock, context: unknown) {
    this.#outcomes = outcomes;
    this.#lock = lock;
    this.#context = context;
  }

  /**
   * Opens the journal of a folder that exists, or begins it.
   * @param context what a trial depends on beside its task: roofserve's version, the contents of files
   * @throws ConfigError where another process writes there, or another command did; DataFileError for a broken line
   */
  static open(folder: string, context: unknown): TrialJournal {
    const lock = FolderLock.take(folder);
    try {
      requireOwnFolder(folder);
      return new TrialJournal(new OutcomeJournal(join(folder, TRIALS_FILE), BROKEN_LINE), lock, context);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Trials that were there when it was opened. */
  get numFound(): number {
    return this.#outcomes.keys.length;
  }

  /** Runs tasks by what is on disk, else by `runTask`, and keeps what it gives. */
  keeping(runTask: RunPlanTask): RunPlanTask {
    return async (task) => {
      const key = this.#keyOf(task);
      const known = this.#outcomes.find(key);
      if (known !== undefined) return known;
      const outcome = await runTask(task);
      this.#outcomes.keep(key, outcome);
      return outcome;
    };
  }

  close(): void {
    this.#outcomes.close();
    this.#lock.release();
  }

  #keyOf({ config, slo, stopsEarly }: PlanTask): string {
    const all = JSON.stringify([this.#context, config, slo, stopsEarly]);
    return createHash("sha256").update(all).digest("hex").slice(0, 32);
  }
}

const BROKEN_LINE = "a line that a plan wrote; remove it, or choose another --out";

/** What other commands leave in their folders, and a plan's results without its trials: not to be written over. */
const OTHERS_FILES = /^(summary\.json|sweep\.json|manifest\.json|plan\.json|plan\.csv)$/;

function requireOwnFolder(folder: string): void {
  const names = readdirSync(folder);
  const taken = names.includes(TRIALS_FILE) ? undefined : names.find((name) => OTHERS_FILES.test(name));
  if (taken === undefined) return;
  const allowed = `holds a ${taken} without a ${TRIALS_FILE}, which no plan leaves: choose an empty or a new folder`;
  throw new ConfigError([{ path: "--out", received: folder, allowed }]);
}
