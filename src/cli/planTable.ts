import type { PlanResult } from "../core/analysis/plan/planResult.js";
import type { FeasiblePlan, Plan } from "../core/analysis/plan/searchPlan.js";
import { valueAt } from "../core/config/parseConfig.js";
import { sloName } from "../core/metrics/slo.js";
import { columnsOf, printMs, printNumber, textTable } from "./textTable.js";

/** A plan for people: the answer in a line, then every server that was considered. */
export function planTable(result: PlanResult): string {
  const feasible = result.plans.filter((plan): plan is FeasiblePlan => plan.isFeasible);
  const infeasible = result.plans.filter((plan) => !plan.isFeasible);
  const parts = [`${planAnswer(result)}\n`];
  const pareto = result.targetRequestsPerS === null ? "" : `${PARETO_LEGEND}\n`;
  if (feasible.length > 0) parts.push(`${table(result, feasible)}${pareto}${LEGEND}\n`);
  if (infeasible.length > 0) parts.push(`cannot:\n${infeasible.map(infeasibleLine).join("")}`);
  parts.push(foot(result));
  return parts.join("\n");
}

const PARETO_LEGEND = "* nothing else is at most as dear and at most as slow (mean E2E) and better in one of these";
const LEGEND = `± the 95 % t-interval of the seeds' own rates, of which the smallest is the one that counts`;

/** What every plan has in its name; other axes follow it. */
const NAMED_PATHS = ["gpu", "engine.tensorParallelSize"];

/** `2 × H100`, `2 × H100 maxNumSeqs=64`. */
export function planName({ varied, gpu, tensorParallelSize }: Plan): string {
  const others = Object.entries(varied).filter(([path]) => !NAMED_PATHS.includes(path));
  const words = others.map(([path, value]) => `${path.split(".").at(-1)}=${String(value)}`);
  return [`${tensorParallelSize} × ${gpu}`, ...words].join(" ");
}

/** `4 × L40S (2 replicas of 2 × L40S) serve 8 requests/s …`. */
export function planAnswer(result: PlanResult): string {
  const { plans, targetRequestsPerS, config } = result;
  const [best] = plans;
  const model = String(valueAt(config, ["model"]) ?? "the model");
  if (best === undefined || !best.isFeasible) return `Nothing considered keeps the SLO (${planSlo(result)}).`;
  const { gpus, gpu, replicas, highestRatePerS, usdPerHour, usdPerMOutputTokens } = best;
  const name = planName(best);
  const what = replicas === 1 ? name : `${gpus} × ${gpu} (${replicas} replicas of ${name})`;
  const load = `${rate(targetRequestsPerS ?? highestRatePerS)} requests/s of ${model} within the SLO`;
  const cost =
    usdPerHour === null ? "" : ` for ${usd(usdPerHour)}/h, ${usd(usdPerMOutputTokens)} per million output tokens`;
  return `${what} ${gpus === 1 ? "serves" : "serve"} ${load}${cost}: ${checksOf(best)}.${doubtOf(best)}`;
}

/** `p99 TTFT ≤ 500 ms, goodput ≥ 95 %`. */
export function planSlo({ slo }: Pick<PlanResult, "slo">): string {
  const limits = slo.limits.map((limit) => `${sloName(limit)} ≤ ${printMs(limit.limitMs)}`);
  return [...limits, ...(slo.goodputFraction === null ? [] : [`goodput ≥ ${percent(slo.goodputFraction)}`])].join(", ");
}

function checksOf({ checks }: FeasiblePlan): string {
  return checks
    .map(({ name, value, limit }) =>
      name === "goodput"
        ? `${name} ${value === null ? "–" : percent(value)} (≥ ${percent(limit)})`
        : `${name} ${value === null ? "–" : printMs(value)} (≤ ${printMs(limit)})`,
    )
    .join(", ");
}

function table({ targetRequestsPerS }: PlanResult, plans: readonly FeasiblePlan[]): string {
  const columns = columnsOf(
    "",
    "server",
    "req/s each#",
    "±#",
    "broken above by",
    "replicas#",
    "GPUs#",
    "$/h#",
    "$/M out#",
    "$/M tokens#",
    "TTFT p99#",
    "ITL mean#",
    "E2E mean#",
  );
  const rows = plans.map((plan) => [
    plan.isPareto ? "*" : "",
    planName(plan),
    rate(plan.highestRatePerS),
    plan.rateInterval === null ? "–" : rate(halfWidth(plan)),
    plan.brokenAbove.join(", "),
    String(plan.replicas),
    String(plan.gpus),
    printNumber(plan.usdPerHour, 2),
    printNumber(plan.usdPerMOutputTokens, 2),
    printNumber(plan.usdPerMTokens, 3),
    latency(plan.run.ttftMs.p99),
    plan.run.itlMs.mean === null ? "–" : `${printNumber(plan.run.itlMs.mean)} ms`,
    latency(plan.run.e2eMs.mean),
  ]);
  const load =
    targetRequestsPerS === null ? "each at the most it carries" : `for ${rate(targetRequestsPerS)} requests/s in all`;
  return `cheapest first, ${load}; latencies at that load\n${textTable(columns, rows)}`;
}

/** Half of the seeds' interval, req/s; what rounding leaves of none is none. */
function halfWidth({ rateInterval, highestRatePerS }: FeasiblePlan): number {
  const half = rateInterval === null ? 0 : (rateInterval.high - rateInterval.low) / 2;
  return half < 1e-9 * highestRatePerS ? 0 : half;
}

/** The answer is less sure than it looks where seeds differ by this share of the rate. */
const LARGE_SHARE = 0.25;

function doubtOf(plan: FeasiblePlan): string {
  const half = halfWidth(plan);
  if (half < LARGE_SHARE * plan.highestRatePerS) return "";
  return ` Seeds differ much (± ${rate(half)} on ${rate(plan.highestRatePerS)} requests/s a replica): give more --max-requests or --seeds.`;
}

function infeasibleLine(plan: Plan): string {
  return plan.isFeasible ? "" : `  ${planName(plan)}: ${plan.reason}\n`;
}

function foot({ prices, seeds, notes, plans }: PlanResult): string {
  const unpriced = [...new Set(plans.filter(({ price }) => price === null).map(({ gpu }) => gpu))];
  const lines = [
    ...prices.map(({ gpu, usdPerGpuHour, source, date }) => `${gpu} ${usd(usdPerGpuHour)}/h: ${source}, ${date}`),
    ...(unpriced.length === 0 ? [] : [`no price of ${unpriced.join(", ")}; give --prices`]),
    ...(seeds.length === 1 ? [] : [`seeds ${seeds.join(", ")}`]),
    ...notes.map((note) => `note: ${note}`),
  ];
  return `${lines.join("\n")}\n`;
}

function usd(amount: number | null): string {
  return amount === null ? "–" : `$${amount.toFixed(2)}`;
}

function rate(perS: number): string {
  return String(Number(perS.toPrecision(3)));
}

function percent(fraction: number): string {
  return `${Number((100 * fraction).toFixed(1))} %`;
}

function latency(ms: number | null): string {
  return ms === null ? "–" : printMs(ms);
}
