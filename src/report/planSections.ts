import type { PlanResult } from "../core/analysis/plan/planResult.js";
import type { GpuPrice } from "../core/analysis/plan/priceTable.js";
import type { FeasiblePlan } from "../core/analysis/plan/searchPlan.js";

/** The plan to take, in a sentence and its numbers; or that there is none. */
export interface PlanAnswerSection {
  readonly kind: "plan-answer";
  readonly answer: string;
  readonly best: PlannedServer | null;
  /** What rates count. */
  readonly rateUnit: PlanResult["rateUnit"];
  /** Per second to be served in all; null = what one replica carries. */
  readonly targetRequestsPerS: number | null;
}

/** What plans cost and how long a request takes in them, the best of both marked. */
export interface PlanCostsSection {
  readonly kind: "plan-costs";
  /** What the cost is: of all replicas for an hour, or of a million output tokens where there is no target. */
  readonly per: "hour" | "million output tokens";
  readonly plans: readonly (Pick<PlannedServer, "name" | "isPareto" | "e2eMeanMs" | "ttftP99Ms"> & {
    readonly usd: number;
  })[];
}

/** The most that one replica carries within the SLO. */
export interface PlanRatesSection {
  readonly kind: "plan-rates";
  readonly rateUnit: PlanResult["rateUnit"];
  /** What rates and their intervals stand on, in sentences. */
  readonly legend: string;
  readonly plans: readonly Pick<
    PlannedServer,
    | "name"
    | "gpusPerReplica"
    | "highestRatePerS"
    | "ratesOfSeedsPerS"
    | "rateInterval"
    | "loweredFromPerS"
    | "brokenAbove"
  >[];
}

/** The SLO at the load that each plan is to carry. */
export interface PlanChecksSection {
  readonly kind: "plan-checks";
  readonly plans: readonly Pick<PlannedServer, "name" | "checks">[];
}

/** Every server that was considered, and what the prices are. */
export interface PlanTableSection {
  readonly kind: "plan-table";
  readonly rateUnit: PlanResult["rateUnit"];
  readonly plans: readonly PlannedServer[];
  readonly infeasible: readonly { readonly name: string; readonly reason: string }[];
  readonly prices: readonly Pick<GpuPrice, "gpu" | "vendor" | "usdPerGpuHour" | "source" | "date">[];
}

/** A plan that keeps the SLO; latencies at its share of the load. */
export interface PlannedServer
  extends Pick<
    FeasiblePlan,
    | "highestRatePerS"
    | "ratesOfSeedsPerS"
    | "rateInterval"
    | "loweredFromPerS"
    | "brokenAbove"
    | "replicas"
    | "gpus"
    | "ratePerReplicaPerS"
    | "usdPerHour"
    | "usdPerMOutputTokens"
    | "usdPerMTokens"
    | "checks"
    | "isPareto"
  > {
  /** `2 × H100`. */
  readonly name: string;
  readonly gpusPerReplica: number;
  readonly ttftP99Ms: number | null;
  readonly itlMeanMs: number | null;
  readonly e2eMeanMs: number | null;
}

export type PlanSection =
  | PlanAnswerSection
  | PlanCostsSection
  | PlanRatesSection
  | PlanChecksSection
  | PlanTableSection;
