import type { Deployment } from "../../engine/createServer.js";
import { giveToAll } from "../../engine/requestSinks.js";
import type { RunConfig } from "../../engine/runConfig.js";
import { simulateStreaming } from "../../engine/simulate.js";
import type { Slo } from "../../metrics/slo.js";
import { checkSlo, type SloCheck } from "../../metrics/sloCheck.js";
import { createWorkload } from "../../workload/createWorkload.js";
import { type SweepRun, sweepRunOf } from "../sweep/sweepRun.js";
import type { TaskFailure } from "../sweep/sweepTask.js";
import { type MeanRequest, ServedTokens } from "./servedTokens.js";
import { SloBroken, SloWatch } from "./sloWatch.js";

/** One simulation of a plan: a load offered to a server, to be held against an SLO. */
export interface PlanTask {
  readonly config: RunConfig;
  readonly slo: Slo;
  /** Whether to stop when the SLO is broken for certain: then nobody asks by how much. */
  readonly stopsEarly: boolean;
}

/** What a server did at a load. */
export interface PlanTrial {
  /** null where the run was stopped. */
  readonly run: SweepRun | null;
  /** null where the run was stopped. */
  readonly meanRequest: MeanRequest | null;
  /** Of a stopped run the one that was broken. */
  readonly checks: readonly SloCheck[];
  /** Whether its queue grew for as long as requests came: then more of them would have broken any SLO. */
  readonly isOverrun: boolean;
}

/** What became of a task: a trial, or why the server cannot be. */
export type PlanOutcome =
  | { readonly trial: PlanTrial; readonly failure?: undefined }
  | { readonly trial?: undefined; readonly failure: TaskFailure };

/** Runs tasks in this process or in worker threads. */
export type RunPlanTask = (task: PlanTask) => Promise<PlanOutcome>;

/** Whether the load is one that the server can carry within the SLO. */
export function holdsSlo({ checks, isOverrun }: PlanTrial): boolean {
  return !isOverrun && checks.every(({ isMet }) => isMet);
}

/** Simulates a task. @throws ConfigError, CapacityError */
export function simulatePlanTask(deployment: Deployment, { config, slo, stopsEarly }: PlanTask): PlanTrial {
  const { workload, seed } = config;
  const watch = new SloWatch(slo, stopsEarly ? workload.maxRequests : null);
  const tokens = new ServedTokens(workload.maxRequests ?? 0);
  const sink = giveToAll([watch, tokens]);
  try {
    const result = simulateStreaming(deployment, config, createWorkload(workload, seed), { sink });
    return {
      run: sweepRunOf(result),
      meanRequest: tokens.mean(),
      checks: checkSlo(slo, result.summary, watch.goodputFraction),
      isOverrun: result.summary.regime.label === "past",
    };
  } catch (error) {
    if (error instanceof SloBroken) return { run: null, meanRequest: null, checks: [error.check], isOverrun: false };
    throw error;
  }
}
