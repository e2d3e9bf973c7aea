import type { PlanResult } from "../../core/analysis/plan/planResult.js";
import type { FeasiblePlan, Plan } from "../../core/analysis/plan/searchPlan.js";
import { cleanNumber } from "../results/cleanJson.js";
import { configCell, csvLine } from "../results/csvCells.js";

type Cell = string | number | boolean | null;

/** Columns of a server that keeps the SLO; empty for others, and where there is no such number. */
const NUMBERS: Readonly<Record<string, (plan: FeasiblePlan) => Cell>> = {
  highest_rate_per_s: ({ highestRatePerS }) => highestRatePerS,
  rate_low_per_s: ({ rateInterval }) => rateInterval?.low ?? null,
  rate_high_per_s: ({ rateInterval }) => rateInterval?.high ?? null,
  lowered_from_per_s: ({ loweredFromPerS }) => loweredFromPerS,
  broken_above_by: ({ brokenAbove }) => brokenAbove.join("; "),
  replicas: ({ replicas }) => replicas,
  gpus: ({ gpus }) => gpus,
  rate_per_replica_per_s: ({ ratePerReplicaPerS }) => ratePerReplicaPerS,
  requests_per_s: ({ load }) => load.requestsPerS,
  prompt_tokens_per_s: ({ load }) => load.promptTokensPerS,
  output_tokens_per_s: ({ load }) => load.outputTokensPerS,
  usd_per_gpu_hour: ({ price }) => price?.usdPerGpuHour ?? null,
  vendor: ({ price }) => price?.vendor ?? null,
  usd_per_hour: ({ usdPerHour }) => usdPerHour,
  usd_per_m_output_tokens: ({ usdPerMOutputTokens }) => usdPerMOutputTokens,
  usd_per_m_tokens: ({ usdPerMTokens }) => usdPerMTokens,
  is_pareto: ({ isPareto }) => isPareto,
  seeds_held: ({ numSeedsHeld }) => numSeedsHeld,
  checks: ({ checks }) => checks.map(({ name, value }) => `${name} ${cleanNumber(value ?? Number.NaN)}`).join("; "),
  ttft_ms_p50: ({ run }) => run.ttftMs.p50,
  ttft_ms_p99: ({ run }) => run.ttftMs.p99,
  itl_ms_mean: ({ run }) => run.itlMs.mean,
  tpot_ms_mean: ({ run }) => run.tpotMs.mean,
  e2e_ms_mean: ({ run }) => run.e2eMs.mean,
  e2e_ms_p99: ({ run }) => run.e2eMs.p99,
};

/** plan.csv, header first: one row a server, in the order of the plan. Axes are columns named by their config paths. */
export function* planCsvLines({ plans, rateUnit }: Pick<PlanResult, "plans" | "rateUnit">): Generator<string> {
  const paths = [...new Set(plans.flatMap(({ varied }) => Object.keys(varied)))];
  const axes = paths.filter((path) => !["gpu", "engine.tensorParallelSize"].includes(path));
  const head = ["rank", "label", "gpu", "tensor_parallel_size", ...axes, "reason", "rate_unit"];
  yield csvLine([...head, ...Object.keys(NUMBERS)]);
  for (const [i, plan] of plans.entries()) yield csvLine([...headCells(plan, i, axes), rateUnit, ...numberCells(plan)]);
}

function headCells(plan: Plan, i: number, axes: readonly string[]): Cell[] {
  const { label, gpu, tensorParallelSize, varied } = plan;
  const rank = plan.isFeasible ? i + 1 : null;
  return [rank, label, gpu, tensorParallelSize, ...axes.map((path) => configCell(varied[path])), reasonOf(plan)];
}

function reasonOf(plan: Plan): string | null {
  return plan.isFeasible ? null : plan.reason;
}

function numberCells(plan: Plan): Cell[] {
  return Object.values(NUMBERS).map((cell) => (plan.isFeasible ? cell(plan) : null));
}
