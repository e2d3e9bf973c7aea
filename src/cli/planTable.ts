import type { PlanResult } from "../core/analysis/plan/planResult.js";
import type { FeasiblePlan, Plan } from "../core/analysis/plan/searchPlan.js";
import { valueAt } from "../core/config/parseConfig.js";
import { sloName } from "../core/metrics/slo.js";
import { trust } from "./regimeWords.js";
import { columnsOf, printMs, printNumber, textTable } from "./textTable.js";

/** A plan for people: the answer in a line, then every server that was considered. */
export function planTable(result: PlanResult): string {
  const feasible = result.plans.filter((plan): plan is FeasiblePlan => plan.isFeasible);
  const infeasible = result.plans.filter((plan) => !plan.isFeasible);
  const parts = [`${planAnswer(result)}\n`];
  const pareto = result.targetRequestsPerS === null ? "" : `${PARETO_LEGEND}\n`;
  if (feasible.length > 0)
    parts.push(`${table(result, feasible)}${pareto}${rateLegend(result)}\n${simulationError(result)}\n`);
  if (infeasible.length > 0) parts.push(`cannot:\n${infeasible.map(infeasibleLine).join("")}`);
  parts.push(foot(result));
  return parts.join("\n");
}

const PARETO_LEGEND = "* nothing else is at most as dear and at most as slow (mean E2E) and better in one of these";

/** What the rates stand on: the same words for the table and the report. */
export function rateLegend({ confidence, seeds, checkSeeds, rateUnit, plans }: PlanResult): string {
  const unit = rateUnit === "sessions" ? "Rates count sessions, each of several requests. " : "";
  const isLowered = plans.some((plan) => plan.isFeasible && plan.loweredFromPerS !== null);
  const lowered = isLowered
    ? " Lowered: at the load first planned the other seeds broke the SLO, so that a replica gets less."
    : "";
  if (confidence === null) {
    return `${unit}Rates are those of one seed: how far chance moves them is not known; give --seeds 5.${lowered}`;
  }
  const { oneSidedLevel, level } = confidence;
  return (
    `${unit}With ${percent0(oneSidedLevel)} confidence the median run carries a replica's rate, and with ${percent0(level)} the ` +
    `interval holds what it carries: a sign test over ${seeds.length} seeds, which is about chance in the requests drawn and not ` +
    `about the error of the simulation. All other numbers are means over ${checkSeeds.length} other seeds at the load planned, ` +
    `which more than half of them keep by themselves.${lowered}`
  );
}

/** What is known of the error of the simulation itself at the load of the plan to take; empty where there is none. */
export function simulationError({ plans: [best] }: Pick<PlanResult, "plans">): string {
  if (best === undefined || !best.isFeasible) return "";
  const { regime } = best.run;
  const tails = regime.seenErrors === null ? "" : " p99s err by more (eval/README.md).";
  const tells = "roofserve evaluate tells it of measured runs of yours.";
  return `Error of the simulation itself, ${planName(best)} at its load: ${trust(regime)}${tails} ${tells}`;
}

function percent0(fraction: number): string {
  return `${Math.round(100 * fraction)} %`;
}

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
  const { plans, targetRequestsPerS, config, rateUnit } = result;
  const [best] = plans;
  const model = String(valueAt(config, ["model"]) ?? "the model");
  if (best === undefined || !best.isFeasible) return `Nothing considered keeps the SLO (${planSlo(result)}).`;
  const { gpus, gpu, replicas, highestRatePerS, usdPerHour, usdPerMOutputTokens } = best;
  const name = planName(best);
  const what = replicas === 1 ? name : `${gpus} × ${gpu} (${replicas} replicas of ${name})`;
  const load = `${rate(targetRequestsPerS ?? highestRatePerS)} ${rateUnit}/s of ${model} within the SLO`;
  const cost =
    usdPerHour === null
      ? ` (no price of ${gpu}: give one with --prices)`
      : ` for ${usd(usdPerHour)}/h, ${usd(usdPerMOutputTokens)} per million output tokens`;
  const held = `${best.numSeedsHeld} of ${result.checkSeeds.length} other seeds keep it`;
  return `${what} ${gpus === 1 ? "serves" : "serve"} ${load}${cost}: ${checksOf(best)}; ${held}.${carries(best, result)}`;
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

/** ` A replica carries 17.8 requests/s (17.8–19.5 over 5 seeds), lowered from …: the other seeds broke the SLO there.` */
function carries(plan: FeasiblePlan, { rateUnit, seeds }: PlanResult): string {
  const over = plan.rateInterval === null ? "one seed" : `${intervalOf(plan)} over ${seeds.length} seeds`;
  return ` A replica carries ${rate(plan.highestRatePerS)} ${rateUnit}/s (${over})${loweredOf(plan)}.${doubtOf(plan)}`;
}

/** Why a replica gets less than what the seeds' rates say. */
function loweredOf({ loweredFromPerS }: FeasiblePlan): string {
  return loweredFromPerS === null ? "" : `, lowered from ${rate(loweredFromPerS)}: the other seeds broke the SLO there`;
}

/** `17.8–19.5`. */
function intervalOf({ rateInterval }: FeasiblePlan): string {
  return rateInterval === null ? "–" : `${rate(rateInterval.low)}–${rate(rateInterval.high)}`;
}

/** Who asks the prices, where they are not all of one: then they do not quite compare. */
function vendorsOf({ plans }: Pick<PlanResult, "plans">): string[] {
  const prices = plans.flatMap(({ isFeasible, price }) => (isFeasible && price !== null ? [price] : []));
  const vendors = [...new Set(prices.map(({ vendor }) => vendor ?? "unnamed"))];
  return vendors.length > 1 ? vendors : [];
}

function table(result: PlanResult, plans: readonly FeasiblePlan[]): string {
  const { targetRequestsPerS, rateUnit } = result;
  const hasVendors = vendorsOf(result).length > 0;
  const columns = columnsOf(
    "",
    "server",
    `${rateUnit === "sessions" ? "sessions" : "req"}/s each#`,
    "interval",
    "broken above by",
    "replicas#",
    "GPUs#",
    ...(hasVendors ? ["vendor"] : []),
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
    `${intervalOf(plan)}${plan.loweredFromPerS === null ? "" : ", lowered"}`,
    plan.brokenAbove.join(", "),
    String(plan.replicas),
    String(plan.gpus),
    ...(hasVendors ? [plan.price?.vendor ?? "–"] : []),
    plan.usdPerHour === null ? "no price" : printNumber(plan.usdPerHour, 2),
    printNumber(plan.usdPerMOutputTokens, 2),
    printNumber(plan.usdPerMTokens, 3),
    latency(plan.run.ttftMs.p99),
    plan.run.itlMs.mean === null ? "–" : `${printNumber(plan.run.itlMs.mean)} ms`,
    latency(plan.run.e2eMs.mean),
  ]);
  const load =
    targetRequestsPerS === null
      ? "each at the most it carries"
      : `for ${rate(targetRequestsPerS)} ${rateUnit}/s in all`;
  return `cheapest first, ${load}; latencies at that load\n${textTable(columns, rows)}`;
}

/** More than chance of this size, as a ratio of the interval's ends, wants a longer look. */
const LARGE_RATIO = 1.5;

function doubtOf({ rateInterval }: FeasiblePlan): string {
  if (rateInterval === null || rateInterval.high < LARGE_RATIO * rateInterval.low) return "";
  return " Seeds differ much: give more --max-requests or --seeds.";
}

function infeasibleLine(plan: Plan): string {
  return plan.isFeasible ? "" : `  ${planName(plan)}: ${plan.reason}\n`;
}

function foot(result: PlanResult): string {
  const { prices, seeds, checkSeeds, notes, plans } = result;
  const vendors = vendorsOf(result);
  const unpriced = [
    ...new Set(plans.filter(({ isFeasible, price }) => isFeasible && price === null).map(({ gpu }) => gpu)),
  ];
  const lines = [
    ...prices.map(({ gpu, usdPerGpuHour, source, date }) => `${gpu} ${usd(usdPerGpuHour)}/h: ${source}, ${date}`),
    ...(vendors.length === 0
      ? []
      : [
          `these are prices of ${vendors.join(" and ")}, which may include different things: give your own with --prices`,
        ]),
    ...(unpriced.length === 0
      ? []
      : [`no price of ${unpriced.join(", ")}: ranked by GPUs, after those with a price; give one with --prices`]),
    `seeds ${seeds.join(", ")}; checked with ${checkSeeds.join(", ")}`,
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
