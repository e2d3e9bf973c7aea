import { S_PER_HOUR } from "../../units/units.js";
import type { SweepRun } from "../sweep/sweepRun.js";

/** How many servers a plan rents, and what that costs. */
export interface PlanSize {
  readonly replicas: number;
  readonly gpus: number;
  /** Requests per second that each replica gets: an even share of the target, or the most it carries. */
  readonly ratePerReplicaPerS: number;
}

/** US dollars; null without a price of the GPU. */
export interface PlanCost {
  readonly usdPerHour: number | null;
  /** For a million output tokens, all costs on them. */
  readonly usdPerMOutputTokens: number | null;
  /** For a million tokens, prompt and output alike. */
  readonly usdPerMTokens: number | null;
}

const TOKENS_PER_M = 1e6;

/**
 * Replicas that carry a load together, each an even share of it.
 * @param ratePerS the most that one carries
 * @param targetPerS null = one replica at the most it carries
 */
export function planSize(ratePerS: number, gpusPerReplica: number, targetPerS: number | null): PlanSize {
  const replicas = targetPerS === null ? 1 : Math.max(1, Math.ceil(targetPerS / ratePerS));
  return {
    replicas,
    gpus: replicas * gpusPerReplica,
    ratePerReplicaPerS: targetPerS === null ? ratePerS : targetPerS / replicas,
  };
}

/** @param requestsPerS what one replica completes @param run one replica at that rate: its tokens for each request */
export function planCost(
  { gpus, replicas }: PlanSize,
  requestsPerS: number,
  { throughput }: Pick<SweepRun, "throughput">,
  usdPerGpuHour: number | null,
): PlanCost {
  if (usdPerGpuHour === null) return { usdPerHour: null, usdPerMOutputTokens: null, usdPerMTokens: null };
  const usdPerHour = gpus * usdPerGpuHour;
  const { requestsPerS: servedPerS, outputTokensPerS, promptTokensPerS } = throughput;
  // For each request, since the rates of a run count the time in which its last requests drain.
  const perRequest = (tokensPerS: number | null) => (servedPerS ? (tokensPerS ?? 0) / servedPerS : 0);
  const perM = (tokensPerRequest: number): number | null =>
    tokensPerRequest === 0
      ? null
      : (usdPerHour * TOKENS_PER_M) / (tokensPerRequest * requestsPerS * replicas * S_PER_HOUR);
  const outputTokens = perRequest(outputTokensPerS);
  return {
    usdPerHour,
    usdPerMOutputTokens: perM(outputTokens),
    usdPerMTokens: perM(outputTokens + perRequest(promptTokensPerS)),
  };
}
