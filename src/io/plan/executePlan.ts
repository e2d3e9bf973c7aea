import { availableParallelism } from "node:os";
import { type PlanResult, planResult } from "../../core/analysis/plan/planResult.js";
import type { RunPlanTask } from "../../core/analysis/plan/planTrial.js";
import { type Plan, type PlanQuestion, searchPlan } from "../../core/analysis/plan/searchPlan.js";
import type { SweepSeries } from "../../core/analysis/sweep/runSweep.js";
import { ROOFSERVE_VERSION } from "../../core/engine/version.js";
import { sha256 } from "../pricingFiles.js";
import { SimulationPool } from "../sweep/simulationPool.js";
import { filesAt } from "../sweep/sweepManifest.js";
import { TrialJournal } from "./trialJournal.js";

/** How a plan is made, which changes nothing in its result. */
export interface PlanExecution {
  /** Worker threads; null = one for each core. */
  readonly numWorkers: number | null;
  /** Where finished trials are kept, and found again; null = in memory. */
  readonly folder: string | null;
  /** Told of each server that is done. */
  readonly onPlan: (plan: Plan) => void;
}

/** A plan being made. */
export interface RunningPlan {
  readonly result: Promise<PlanResult>;
  /** Trials that were on disk when it began. */
  readonly numFound: number;
  /** Ends its threads and closes its files, whether it is done or not; what is finished stays on disk. */
  readonly release: () => Promise<void>;
}

/**
 * Searches all servers at once, each simulation in the next free worker thread. The result does not depend on how many
 * there are.
 * @throws ConfigError where the folder is another command's
 */
export function executePlan(
  series: readonly SweepSeries[],
  question: PlanQuestion,
  { numWorkers, folder, onPlan }: PlanExecution,
): RunningPlan {
  const journal = folder === null ? null : TrialJournal.open(folder, trialContext(series));
  const pool = new SimulationPool(numWorkers ?? availableParallelism(), null);
  const simulate: RunPlanTask = (task) => pool.runPlan(task);
  const runTask = journal === null ? simulate : journal.keeping(simulate);
  const search = async (one: SweepSeries): Promise<Plan> => {
    const plan = await searchPlan(one, question, runTask);
    onPlan(plan);
    return plan;
  };
  let isReleased = false;
  return {
    result: Promise.all(series.map(search)).then((plans) => planResult(series, question, plans)),
    numFound: journal?.numFound ?? 0,
    release: async () => {
      if (isReleased) return;
      isReleased = true;
      await pool.close();
      journal?.close();
    },
  };
}

/** What trials depend on beside their configs: roofserve's version, and the contents of files that configs name. */
function trialContext(series: readonly SweepSeries[]): object {
  const configs = series.flatMap((one) => one.configs);
  const files = configs.flatMap(({ model, gpu, benchData }) => [model, gpu, benchData ?? ""].flatMap(filesAt));
  return {
    version: ROOFSERVE_VERSION,
    inputs: Object.fromEntries([...new Set(files)].sort().map((file) => [file, sha256(file)])),
  };
}
