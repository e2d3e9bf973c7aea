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
  /** What rates and their intervals stand on, in sentences. */
  readonly legend: string;
  readonly nameOf: (plan: Plan) => string;
}

/** The page of a plan: which servers to take, what the others cost and carry, which cannot be, what made it. */
export function planPage({ result, answer, title, subtitle, legend, nameOf }: PlanPageParts): ReportPage {
  const { version, config, slo, targetRequestsPerS, rateUnit, seeds, checkSeeds, prices, notes } = result;
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
      { kind: "plan-answer", answer, best: plans[0] ?? null, targetRequestsPerS, rateUnit },
      ...(costs.plans.length === 0 ? [] : [costs]),
      ...(plans.length === 0
        ? []
        : [
            { kind: "plan-rates", rateUnit, legend, plans } as const,
            { kind: "plan-checks", plans: plans.map(({ name, checks }) => ({ name, checks })) } as const,
          ]),
      {
        kind: "plan-table",
        rateUnit,
        plans,
        infeasible,
        prices: prices,
      },
      {
        kind: "config",
        config: { config, slo, targetRequestsPerS, rateUnit, seeds, checkSeeds },
        says: "What all servers have in common, and what was asked of them.",
        notes,
      },
    ],
  };
}

function plannedServer(plan: FeasiblePlan, nameOf: (plan: Plan) => string): PlannedServer {
  const { highestRatePerS, ratesOfSeedsPerS, rateInterval, loweredFromPerS, brokenAbove, checks, isPareto, run } = plan;
  const { replicas, gpus, ratePerReplicaPerS, usdPerHour, usdPerMOutputTokens, usdPerMTokens } = plan;
  return {
    name: nameOf(plan),
    gpusPerReplica: plan.tensorParallelSize,
    ...{ highestRatePerS, ratesOfSeedsPerS, rateInterval, loweredFromPerS, brokenAbove, checks, isPareto },
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
