import type { PlanResult } from "../../core/analysis/plan/planResult.js";
import type { FeasiblePlan, Plan } from "../../core/analysis/plan/searchPlan.js";
import type { PlanCostsSection, PlannedServer } from "../../report/planSections.js";
import type { ReportPage } from "../../report/reportPage.js";

/** What a plan's page is made from. */
export interface PlanPageParts {
  readonly result: PlanResult;
  /** A sentence. */
  readonly answer: string;
  /** What is planned for, and within which SLO. */
  readonly title: string;
  readonly subtitle: string;
  readonly nameOf: (plan: Plan) => string;
}

/** The page of a plan: which servers to take, what the others cost and carry, which cannot be, what made it. */
export function planPage({ result, answer, title, subtitle, nameOf }: PlanPageParts): ReportPage {
  const { version, config, slo, targetRequestsPerS, seeds, prices, notes } = result;
  const feasible = result.plans.filter((plan) => plan.isFeasible);
  const plans = feasible.map((plan) => plannedServer(plan, nameOf));
  const infeasible = result.plans.flatMap((plan) =>
    plan.isFeasible ? [] : [{ name: nameOf(plan), reason: plan.reason }],
  );
  const costs = costsSection(plans, targetRequestsPerS);
  return {
    schema: "roofserve.report/1",
    version,
    title,
    subtitle,
    sections: [
      { kind: "plan-answer", answer, best: plans[0] ?? null, targetRequestsPerS },
      ...(costs.plans.length === 0 ? [] : [costs]),
      ...(plans.length === 0
        ? []
        : [
            { kind: "plan-rates", numSeeds: seeds.length, plans } as const,
            { kind: "plan-checks", plans: plans.map(({ name, checks }) => ({ name, checks })) } as const,
          ]),
      {
        kind: "plan-table",
        plans,
        infeasible,
        prices: prices.map(({ gpu, usdPerGpuHour, source, date }) => ({ gpu, usdPerGpuHour, source, date })),
      },
      {
        kind: "config",
        config: { config, slo, targetRequestsPerS, seeds },
        says: "What all servers have in common, and what was asked of them.",
        notes,
      },
    ],
  };
}

function plannedServer(plan: FeasiblePlan, nameOf: (plan: Plan) => string): PlannedServer {
  const { highestRatePerS, ratesOfSeedsPerS, rateInterval, brokenAbove, checks, isPareto, run } = plan;
  const { replicas, gpus, ratePerReplicaPerS, usdPerHour, usdPerMOutputTokens, usdPerMTokens } = plan;
  return {
    name: nameOf(plan),
    gpusPerReplica: plan.tensorParallelSize,
    ...{ highestRatePerS, ratesOfSeedsPerS, rateInterval, brokenAbove, checks, isPareto },
    ...{ replicas, gpus, ratePerReplicaPerS, usdPerHour, usdPerMOutputTokens, usdPerMTokens },
    ttftP99Ms: run.ttftMs.p99,
    itlMeanMs: run.itlMs.mean,
    e2eMeanMs: run.e2eMs.mean,
  };
}

/** Plans whose GPU has a price. */
function costsSection(plans: readonly PlannedServer[], targetPerS: number | null): PlanCostsSection {
  return {
    kind: "plan-costs",
    per: targetPerS === null ? "million output tokens" : "hour",
    plans: plans.flatMap(({ name, isPareto, e2eMeanMs, ttftP99Ms, usdPerHour, usdPerMOutputTokens }) => {
      const usd = targetPerS === null ? usdPerMOutputTokens : usdPerHour;
      return usd === null ? [] : [{ name, isPareto, e2eMeanMs, ttftP99Ms, usd }];
    }),
  };
}
