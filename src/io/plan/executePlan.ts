import { availableParallelism } from "node:os";
import { type PlanResult, planResult } from "../../core/analysis/plan/planResult.js";
import { type Plan, type PlanQuestion, searchPlan } from "../../core/analysis/plan/searchPlan.js";
import type { SweepSeries } from "../../core/analysis/sweep/runSweep.js";
import { SimulationPool } from "../sweep/simulationPool.js";

/** A plan being made. */
export interface RunningPlan {
  readonly result: Promise<PlanResult>;
  /** Ends its threads, whether it is done or not. */
  readonly release: () => Promise<void>;
}

/**
 * Searches all servers at once, each simulation in the next free worker thread. The result does not depend on how many
 * there are.
 * @param numWorkers threads; null = one for each core
 * @param onPlan told of each server that is done
 */
export function executePlan(
  series: readonly SweepSeries[],
  question: PlanQuestion,
  numWorkers: number | null,
  onPlan: (plan: Plan) => void,
): RunningPlan {
  const pool = new SimulationPool(numWorkers ?? availableParallelism(), null);
  const search = async (one: SweepSeries): Promise<Plan> => {
    const plan = await searchPlan(one, question, (task) => pool.runPlan(task));
    onPlan(plan);
    return plan;
  };
  return {
    result: Promise.all(series.map(search)).then((plans) => planResult(series, question, plans)),
    release: () => pool.close(),
  };
}
