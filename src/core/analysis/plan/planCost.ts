import { S_PER_HOUR } from "../../units/units.js";
import type { MeanRequest } from "./servedTokens.js";

/** How many servers a plan rents. */
export interface PlanSize {
  readonly replicas: number;
  readonly gpus: number;
  /** Arrivals per second that each replica gets: an even share of the target, or the most it carries. */
  readonly ratePerReplicaPerS: number;
}

/** What all replicas of a plan complete in a second, in the long run. */
export interface PlanLoad {
  /** Turns, where arrivals are sessions of several. */
  readonly requestsPerS: number;
  readonly promptTokensPerS: number;
  readonly outputTokensPerS: number;
}

/** US dollars; null without a price of the GPU. `usdPerM… × tokens per second × 3600 ÷ 10⁶` is `usdPerHour`. */
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
  if (targetPerS === null) return sizeOfReplicas(1, gpusPerReplica, ratePerS);
  return sizeOfReplicas(Math.max(1, Math.ceil(targetPerS / ratePerS)), gpusPerReplica, targetPerS);
}

/** @param totalPerS arrivals that all replicas carry together */
export function sizeOfReplicas(replicas: number, gpusPerReplica: number, totalPerS: number): PlanSize {
  return { replicas, gpus: replicas * gpusPerReplica, ratePerReplicaPerS: totalPerS / replicas };
}

/** @param turns requests of an arrival @param request the mean one of a replica at that load */
export function planLoad({ replicas, ratePerReplicaPerS }: PlanSize, turns: number, request: MeanRequest): PlanLoad {
  const submittedPerS = replicas * ratePerReplicaPerS * turns;
  return {
    requestsPerS: submittedPerS * request.completedFraction,
    promptTokensPerS: submittedPerS * request.promptTokens,
    outputTokensPerS: submittedPerS * request.outputTokens,
  };
}

export function planCost({ gpus }: PlanSize, load: PlanLoad, usdPerGpuHour: number | null): PlanCost {
  if (usdPerGpuHour === null) return { usdPerHour: null, usdPerMOutputTokens: null, usdPerMTokens: null };
  const usdPerHour = gpus * usdPerGpuHour;
  const perM = (tokensPerS: number): number | null =>
    tokensPerS === 0 ? null : (usdPerHour * TOKENS_PER_M) / (tokensPerS * S_PER_HOUR);
  return {
    usdPerHour,
    usdPerMOutputTokens: perM(load.outputTokensPerS),
    usdPerMTokens: perM(load.promptTokensPerS + load.outputTokensPerS),
  };
}
