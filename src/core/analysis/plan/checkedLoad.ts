import type { RunConfig } from "../../engine/runConfig.js";
import { meanChecks } from "../../metrics/meanChecks.js";
import type { SloCheck } from "../../metrics/sloCheck.js";
import { turnsPerStart } from "../../workload/turnsPerStart.js";
import { meanRun } from "../sweep/meanRun.js";
import { isSettled } from "../sweep/settled.js";
import type { SweepRun } from "../sweep/sweepRun.js";
import { CannotServe, printRate } from "./cannotServe.js";
import { RATE_TOLERANCE } from "./highestRate.js";
import { type PlanLoad, type PlanSize, planLoad, planSize, sizeOfReplicas } from "./planCost.js";
import { holdsSlo } from "./planTrial.js";
import type { MeanRequest } from "./servedTokens.js";
import { HOLDING_LATENCIES, SettledTrials, type TryLoad, type WholeTrial } from "./settledTrial.js";

/** What a plan's servers do at the very load that they are to carry, with seeds that had no part in finding it. */
export interface CheckedLoad {
  readonly size: PlanSize;
  readonly load: PlanLoad;
  /** One replica: means over these seeds, which meet the SLO. */
  readonly run: SweepRun;
  readonly checks: readonly SloCheck[];
  /** How many of these seeds keep the SLO by themselves: more than half. */
  readonly numSeedsHeld: number;
  /** Load of a replica that was tried first, at which these seeds broke the SLO; null where they bore it out. */
  readonly loweredFromPerS: number | null;
}

/**
 * Smaller loads that are tried where other seeds do not bear out the rate that was found, each a step further from the last:
 * most rates are a little too high, and one whose percentile hardly falls with the load, by half and more.
 */
const MAX_STEPS_BACK = 10;

/**
 * Times as long as those that found the rate are the trials that check it, and the share of it from which on they need be. Near
 * saturation a percentile grows with the length of a run, as rare crowds come into it: of rag on 4 × A100 at 4.72 requests/s
 * the p99 TTFT was 1.9, 2.1, 2.3 s in 2000, 4000, 8000 requests of five seeds.
 */
const CHECK_LONGER = 4;
const NEAR_SHARE = 0.8;

/** What is asked of the load: who carries it, in all, and what draws the requests. */
export interface AskedLoad {
  readonly highestPerS: number;
  /** null = what one replica carries. */
  readonly targetPerS: number | null;
  readonly checkSeeds: readonly number[];
}

/**
 * The number of replicas, and what they do. A rate that was found by some seeds is a little too high by the luck that
 * they had: where others break the SLO on average, or half of them by themselves, the load is made smaller, by more replicas
 * if need be. The mean alone would do with few seeds far within the limits and most of them a little beyond.
 */
export async function checkedLoad(config: RunConfig, asked: AskedLoad, tryLoad: TryLoad): Promise<CheckedLoad> {
  const { highestPerS, targetPerS, checkSeeds } = asked;
  const { tensorParallelSize } = config.engine;
  const first = planSize(highestPerS, tensorParallelSize, targetPerS);
  let size = first;
  for (let step = 0; step <= MAX_STEPS_BACK; step++) {
    const { ratePerReplicaPerS } = size;
    const longer = ratePerReplicaPerS > NEAR_SHARE * highestPerS ? CHECK_LONGER : 1;
    const trials = await Promise.all(
      checkSeeds.map((seed) =>
        new SettledTrials(tryLoad, { longer }).whole(atRate({ ...config, seed }, ratePerReplicaPerS)),
      ),
    );
    const run = meanRun(trials.map((trial) => trial.run));
    const checks = meanChecks(trials.map((trial) => trial.checks));
    const numSeedsHeld = trials.filter(holdsSlo).length;
    const isHeldByMeans = checks.every(({ isMet }) => isMet) && isSettled(run, HOLDING_LATENCIES);
    if (isHeldByMeans && 2 * numSeedsHeld > trials.length) {
      const load = planLoad(size, turnsPerStart(config.workload.data), meanOf(trials));
      return { size, load, run, checks, numSeedsHeld, loweredFromPerS: step === 0 ? null : first.ratePerReplicaPerS };
    }
    if (step < MAX_STEPS_BACK) size = smaller(size, step + 1, tensorParallelSize, targetPerS);
  }
  const least = printRate(size.ratePerReplicaPerS);
  throw new CannotServe(
    `holds at ${printRate(highestPerS)} with some seeds, and with others not even at ${least}: more --max-requests may tell`,
  );
}

/** A load that is smaller by so many steps. */
function smaller(size: PlanSize, steps: number, tensorParallelSize: number, targetPerS: number | null): PlanSize {
  const ratePerS = size.ratePerReplicaPerS / RATE_TOLERANCE ** steps;
  const next = planSize(ratePerS, tensorParallelSize, targetPerS);
  return targetPerS === null || next.replicas > size.replicas
    ? next
    : sizeOfReplicas(size.replicas + 1, tensorParallelSize, targetPerS);
}

function meanOf(trials: readonly WholeTrial[]): MeanRequest {
  const mean = (pick: (request: MeanRequest) => number) =>
    trials.reduce((sum, { meanRequest }) => sum + pick(meanRequest), 0) / trials.length;
  return {
    completedFraction: mean(({ completedFraction }) => completedFraction),
    promptTokens: mean(({ promptTokens }) => promptTokens),
    outputTokens: mean(({ outputTokens }) => outputTokens),
  };
}

/** The config with another rate of its arrivals. */
export function atRate(config: RunConfig, ratePerS: number): RunConfig {
  const { workload } = config;
  return {
    ...config,
    workload: { ...workload, profile: { ...workload.profile, rate: ratePerS } as typeof workload.profile },
  };
}
