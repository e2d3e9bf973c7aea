import { commonConfig } from "../../config/compareConfigs.js";
import { ROOFSERVE_VERSION } from "../../engine/version.js";
import { type ErrorCode, SimulationError } from "../../errors/simulationError.js";
import { type SignTest, signTest } from "../../metrics/medianInterval.js";
import { hasSessions } from "../../workload/turnsPerStart.js";
import type { SweepSeries } from "../sweep/runSweep.js";
import { paretoFront } from "./paretoFront.js";
import type { GpuPrice } from "./priceTable.js";
import type { FeasiblePlan, InfeasiblePlan, Plan, PlanQuestion } from "./searchPlan.js";

/** The `roofserve.plan/1` contract: keys are API. */
export interface PlanResult {
  readonly schema: "roofserve.plan/1";
  /** roofserve's version. */
  readonly version: string;
  /** What the configs of all plans have in common. */
  readonly config: object;
  readonly slo: PlanQuestion["slo"];
  /** What rates count: `sessions` where an arrival may ask several times, else `requests`. */
  readonly rateUnit: "requests" | "sessions";
  /** In `rateUnit`s per second, as every rate here. */
  readonly targetRequestsPerS: number | null;
  /** With these the rates were found. */
  readonly seeds: readonly number[];
  /** With these the load of every plan was checked, and its numbers taken: `run`, `checks`, `load`. */
  readonly checkSeeds: readonly number[];
  /** What `highestRatePerS` and `rateInterval` are worth; null with one seed, whose luck is not known. */
  readonly confidence: RateConfidence | null;
  /** Label of the plan to take: the first of `plans`; null where none holds the SLO. */
  readonly best: string | null;
  /** Cheapest first (of one price the fewer GPUs, then the faster), those without a price after these, infeasible ones last. */
  readonly plans: readonly Plan[];
  /** The prices that were used. */
  readonly prices: readonly GpuPrice[];
  readonly notes: readonly string[];
}

/** The sign test over the seeds' own highest rates. It covers the luck of the requests drawn, not the error of the simulation. */
export interface RateConfidence extends SignTest {
  readonly method: "sign-test-of-median";
}

/** What is made as small as it can be: what a plan costs, and how long a request takes in it. */
function objectives({ run, gpus }: FeasiblePlan, cost: number | null): readonly [number, number] {
  return [cost ?? gpus, run.e2eMs.mean ?? Number.NaN];
}

/** Ranks plans and marks the Pareto front. */
export function planResult(
  series: readonly SweepSeries[],
  { slo, targetPerS, seeds, checkSeeds }: PlanQuestion,
  plans: readonly Plan[],
): PlanResult {
  const cost = (plan: FeasiblePlan) => (targetPerS === null ? plan.usdPerMOutputTokens : plan.usdPerHour);
  const feasible = plans.filter((plan): plan is FeasiblePlan => plan.isFeasible);
  const known = feasible.filter((plan) => cost(plan) !== null);
  const unknown = feasible.filter((plan) => cost(plan) === null);
  // Latencies at different loads do not compare, nor GPUs with dollars.
  const priced = targetPerS === null ? known : marked(known, cost);
  const unpriced = targetPerS === null || known.length > 0 ? unknown : marked(unknown, cost);
  const byRank = (a: FeasiblePlan, b: FeasiblePlan): number =>
    (cost(a) ?? 0) - (cost(b) ?? 0) || a.gpus - b.gpus || b.highestRatePerS - a.highestRatePerS;
  const ranked = [...priced.sort(byRank), ...unpriced.sort(byRank)];
  const prices = plans.flatMap(({ price }) => price ?? []);
  return {
    schema: "roofserve.plan/1",
    version: ROOFSERVE_VERSION,
    config: commonConfig(series.flatMap(({ configs }) => configs).map(({ seed: _seed, ...config }) => config)),
    slo,
    rateUnit: series.some(({ configs }) => configs.some(({ workload }) => hasSessions(workload.data)))
      ? "sessions"
      : "requests",
    targetRequestsPerS: targetPerS,
    seeds,
    checkSeeds,
    confidence: seeds.length === 1 ? null : { method: "sign-test-of-median", ...signTest(seeds.length) },
    best: ranked[0]?.label ?? null,
    plans: [...ranked, ...plans.filter((plan): plan is InfeasiblePlan => !plan.isFeasible)],
    prices: [...new Map(prices.map((price) => [price.gpu, price])).values()],
    notes: [...new Set(feasible.flatMap(({ run }) => run.notes))].sort(),
  };
}

function marked(plans: readonly FeasiblePlan[], cost: (plan: FeasiblePlan) => number | null): FeasiblePlan[] {
  const front = paretoFront(plans.map((plan) => objectives(plan, cost(plan))));
  return plans.map((plan, i) => ({ ...plan, isPareto: front[i] === true }));
}

/** The result of a plan is that there is none. */
export class NoPlanError extends SimulationError {
  readonly code: ErrorCode = "capacity";

  constructor({ plans }: Pick<PlanResult, "plans">) {
    super(
      `none of ${plans.length} servers keeps the SLO: loosen it, or consider other GPUs, sizes or limits with --vary`,
    );
  }
}
