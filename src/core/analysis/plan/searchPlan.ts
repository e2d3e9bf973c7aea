import type { RunConfig } from "../../engine/runConfig.js";
import { InvariantError } from "../../errors/simulationError.js";
import type { Interval } from "../../metrics/interval.js";
import type { Slo } from "../../metrics/slo.js";
import type { SloCheck } from "../../metrics/sloCheck.js";
import { tInterval } from "../../metrics/tInterval.js";
import { type ArrivalProfile, GUIDELLM_MAX_CONCURRENCY } from "../../workload/arrivalConfig.js";
import { meanRun } from "../sweep/meanRun.js";
import type { SweepSeries } from "../sweep/runSweep.js";
import { isSettled } from "../sweep/settled.js";
import type { SweepRun } from "../sweep/sweepRun.js";
import { highestRate, RATE_TOLERANCE, type RateBracket } from "./highestRate.js";
import { type PlanCost, type PlanSize, planCost, planSize } from "./planCost.js";
import { holdsSlo, type PlanTrial, type RunPlanTask } from "./planTrial.js";
import { type GpuPrice, type PriceTable, priceOf } from "./priceTable.js";

/** What is asked of every candidate. */
export interface PlanQuestion {
  readonly slo: Slo;
  /** Requests per second to be served in all; null = what one replica carries. */
  readonly targetPerS: number | null;
  /** The same for every candidate, so that they differ by what they are and not by luck. At least one. */
  readonly seeds: readonly number[];
  readonly prices: PriceTable;
}

/** A server that could be rented, before its cost and load are known. */
interface PlanHead {
  readonly label: string;
  /** Values of the grid's axes here, by config path. */
  readonly varied: Readonly<Record<string, unknown>>;
  readonly gpu: string;
  readonly tensorParallelSize: number;
  readonly price: GpuPrice | null;
}

/** A server that holds the SLO at some load. */
export interface FeasiblePlan extends PlanHead, PlanSize, PlanCost {
  readonly isFeasible: true;
  /** The most that one replica carries within the SLO with every seed, to `RATE_TOLERANCE`. */
  readonly highestRatePerS: number;
  /** The same with each seed alone, and what the mean over seeds is known to; null with one seed. */
  readonly ratesOfSeedsPerS: readonly number[];
  readonly rateInterval: Interval | null;
  /** What breaks first above that rate: names of checks, `growing queue`. */
  readonly brokenAbove: readonly string[];
  /** One replica at its share of the load: means over the seeds. */
  readonly run: SweepRun;
  readonly checks: readonly SloCheck[];
  readonly numTrials: number;
  /**
   * Whether no other plan for the same target is at most as dear and at most as slow, and better in one of these. False
   * without a target, and without a price where others have one.
   */
  readonly isPareto: boolean;
}

/** A server that holds the SLO at no load, or cannot be. */
export interface InfeasiblePlan extends PlanHead {
  readonly isFeasible: false;
  readonly reason: string;
}

export type Plan = FeasiblePlan | InfeasiblePlan;

/** A server that cannot be: ends the search for it. */
class CannotServe extends Error {}

/**
 * Finds the most that a server carries within an SLO, how many of it carry the target, and what that costs.
 * First its throughput in a closed loop and its latencies without load: where these break the SLO, no load will keep it.
 */
export async function searchPlan(series: SweepSeries, question: PlanQuestion, runTask: RunPlanTask): Promise<Plan> {
  const config = series.configs[0] as RunConfig;
  const { label, varied } = series;
  const { tensorParallelSize } = config.engine;
  const price = priceOf(question.prices, config.gpu);
  const head = { label, varied, gpu: config.gpu, tensorParallelSize, price };
  const tryLoad = async (load: RunConfig, stopsEarly: boolean): Promise<PlanTrial> => {
    const { trial, failure } = await runTask({ config: load, slo: question.slo, stopsEarly });
    if (failure === undefined) return trial;
    if (failure.code === "invariant") throw new InvariantError(failure.message);
    throw new CannotServe(failure.message);
  };
  try {
    return { ...head, ...(await searchServer(config, question, price, tryLoad)), isFeasible: true, isPareto: false };
  } catch (error) {
    if (error instanceof CannotServe) return { ...head, isFeasible: false, reason: error.message };
    throw error;
  }
}

/** @param stopsEarly whether nobody asks for more than whether the SLO holds */
type TryLoad = (config: RunConfig, stopsEarly: boolean) => Promise<PlanTrial>;

async function searchServer(
  config: RunConfig,
  { targetPerS, seeds }: PlanQuestion,
  price: GpuPrice | null,
  tryLoad: TryLoad,
): Promise<Omit<FeasiblePlan, keyof PlanHead | "isFeasible" | "isPareto">> {
  const [guessPerS] = await Promise.all([closedLoopPerS(config, tryLoad), requireIdleSlo(config, tryLoad)]);
  const brackets = await Promise.all(
    seeds.map((seed) =>
      highestRate(guessPerS, (rate) => settledTrial(atRate({ ...config, seed }, rate), tryLoad), isCarried),
    ),
  );
  const ratesOfSeedsPerS = brackets.map(heldPerS);
  const { size, trials } = await carriedSize(config, Math.min(...ratesOfSeedsPerS), { targetPerS, seeds }, tryLoad);
  const run = meanRun(trials.map((trial) => trial.run));
  return {
    highestRatePerS: targetPerS === null ? size.ratePerReplicaPerS : Math.min(...ratesOfSeedsPerS),
    ratesOfSeedsPerS,
    rateInterval: tInterval(ratesOfSeedsPerS),
    brokenAbove: [...new Set(brackets.flatMap(brokenBy))],
    ...size,
    ...planCost(size, requestsPerS(config, size.ratePerReplicaPerS, run), run, price?.usdPerGpuHour ?? null),
    run,
    checks: meanChecks(trials),
    numTrials: brackets.reduce((sum, { numTrials }) => sum + numTrials, 0),
  };
}

/** Smaller loads that are tried where the SLO breaks again below the rate at which it held. */
const MAX_STEPS_BACK = 8;

/**
 * The number of replicas, and what they do: with every seed the SLO is held at their very load. It need not be at each load
 * below one at which it was, where latencies jump about: then the load is made smaller, by more replicas if need be.
 */
async function carriedSize(
  config: RunConfig,
  highestPerS: number,
  { targetPerS, seeds }: Pick<PlanQuestion, "targetPerS" | "seeds">,
  tryLoad: TryLoad,
): Promise<{ readonly size: PlanSize; readonly trials: readonly WholeTrial[] }> {
  const { tensorParallelSize } = config.engine;
  let size = planSize(highestPerS, tensorParallelSize, targetPerS);
  for (let step = 0; step <= MAX_STEPS_BACK; step++) {
    const { ratePerReplicaPerS } = size;
    const trials = await Promise.all(
      seeds.map((seed) => settledRun(atRate({ ...config, seed }, ratePerReplicaPerS), tryLoad)),
    );
    if (trials.every(isCarried)) return { size, trials };
    size =
      targetPerS === null
        ? planSize(ratePerReplicaPerS / RATE_TOLERANCE, tensorParallelSize, null)
        : planSize(targetPerS / (size.replicas + 1), tensorParallelSize, targetPerS);
  }
  throw new CannotServe(`holds at ${ratePerS(highestPerS)} and not at the loads below: more --max-requests may tell`);
}

/** Whether a load is carried for as long as it takes to believe it. */
function isCarried(trial: PlanTrial): boolean {
  return holdsSlo(trial) && trial.run !== null && isSettled(trial.run, HOLDING_LATENCIES);
}

/** Times a trial may be made longer, each time by as much again. */
const MAX_LONGER = 6;
/**
 * Mean latencies that a trial must last before it is believed that its SLO holds. Near saturation percentiles grow long after
 * the queue has shown that it does not: an H100 that kept p95 ITL for 15 of them at 19 chat requests/s did so at 17.5 for 40.
 */
const HOLDING_LATENCIES = 40;

/**
 * A trial that is long enough to believe it when it says that the SLO holds: a fast server gets through the requests of one
 * before it has settled. A trial that fails would fail the more the longer it is.
 */
async function settledTrial(config: RunConfig, tryLoad: TryLoad): Promise<PlanTrial> {
  return longerUntil(
    config,
    (load) => tryLoad(load, true),
    (trial) => !holdsSlo(trial) || trial.run === null || isSettled(trial.run, HOLDING_LATENCIES),
  );
}

/** The same of a run whose numbers are asked for. */
async function settledRun(config: RunConfig, tryLoad: TryLoad): Promise<WholeTrial> {
  return longerUntil(
    config,
    (load) => wholeRun(load, tryLoad),
    ({ run }) => isSettled(run, HOLDING_LATENCIES),
  );
}

/** Runs a load with twice as many requests until the run is long enough; as it is where their number is not the limit. */
async function longerUntil<T>(
  config: RunConfig,
  run: (config: RunConfig) => Promise<T>,
  isEnough: (trial: T) => boolean,
): Promise<T> {
  const { workload } = config;
  let trial = await run(config);
  for (let i = 1; i <= MAX_LONGER && workload.maxRequests !== null && !isEnough(trial); i++) {
    trial = await run({ ...config, workload: { ...workload, maxRequests: workload.maxRequests * 2 ** i } });
  }
  return trial;
}

type WholeTrial = PlanTrial & { readonly run: SweepRun };

async function wholeRun(config: RunConfig, tryLoad: TryLoad): Promise<WholeTrial> {
  const trial = await tryLoad(config, false);
  if (trial.run === null) throw new InvariantError("a trial was stopped that is needed whole");
  return { ...trial, run: trial.run };
}

/** Requests per second that GuideLLM's throughput profile gets out of the server: about what it can carry at all. */
async function closedLoopPerS(config: RunConfig, tryLoad: TryLoad): Promise<number> {
  const profile = { kind: "throughput", maxConcurrency: GUIDELLM_MAX_CONCURRENCY, rampUpS: 0 } as const;
  const { run } = await wholeRun(withProfile(patient(config), profile), tryLoad);
  const { requestsPerS } = run.throughput;
  if (requestsPerS === null || requestsPerS === 0) throw new CannotServe("it completes no request");
  return requestsPerS;
}

async function requireIdleSlo(config: RunConfig, tryLoad: TryLoad): Promise<void> {
  const { checks } = await wholeRun(withProfile(patient(config), { kind: "synchronous" }), tryLoad);
  const broken = checks.filter(({ isMet }) => !isMet).map(brokenText);
  if (broken.length > 0) throw new CannotServe(`even one request at a time: ${broken.join(", ")}`);
}

function brokenText({ name, value, limit }: SloCheck): string {
  if (name === "goodput") return `goodput ${percent(value ?? 0)} < ${percent(limit)}`;
  return value === null ? `too few requests complete for a ${name}` : `${name} ${ms(value)} > ${ms(limit)}`;
}

function percent(fraction: number): string {
  return `${Number((100 * fraction).toFixed(1))} %`;
}

function ms(value: number): string {
  return `${Number(value.toPrecision(3))} ms`;
}

function heldPerS({ held, failed }: RateBracket<PlanTrial>): number {
  if (held !== null) return held.ratePerS;
  const broken = failed === null ? [] : brokenNames(failed.trial);
  throw new CannotServe(`breaks ${broken.join(", ")} at the least load tried, ${ratePerS(failed?.ratePerS ?? 0)}`);
}

function ratePerS(rate: number): string {
  return `${Number(rate.toPrecision(2))} requests/s`;
}

function brokenBy({ failed }: RateBracket<PlanTrial>): string[] {
  return failed === null ? [] : brokenNames(failed.trial);
}

function brokenNames({ checks, isOverrun }: PlanTrial): string[] {
  const names = checks.filter(({ isMet }) => !isMet).map(({ name }) => name);
  if (names.length > 0) return names;
  return [isOverrun ? "growing queue" : "requests in service that grow"];
}

/** The mean of each value over the seeds; met where it is with every seed. */
function meanChecks(trials: readonly PlanTrial[]): SloCheck[] {
  const [first] = trials as [PlanTrial, ...PlanTrial[]];
  return first.checks.map((check, i) => {
    const all = trials.map(({ checks }) => checks[i] as SloCheck);
    const values = all.map(({ value }) => value).filter((value) => value !== null);
    const value = values.length < all.length ? null : values.reduce((sum, x) => sum + x, 0) / values.length;
    return { ...check, value, isMet: all.every(({ isMet }) => isMet) };
  });
}

function atRate(config: RunConfig, rate: number): RunConfig {
  return withProfile(config, { ...config.workload.profile, rate } as ArrivalProfile);
}

/** Clients that wait for ever: a probe of the server shall not depend on how long they would at a load of another kind. */
function patient(config: RunConfig): RunConfig {
  return { ...config, workload: { ...config.workload, timeoutS: null } };
}

function withProfile(config: RunConfig, profile: ArrivalProfile): RunConfig {
  return { ...config, workload: { ...config.workload, profile } };
}

/** What is served at a rate, which counts sessions where they have several turns; what is refused or given up does not count. */
function requestsPerS({ workload: { data } }: RunConfig, rate: number, { requests, arrivalSpanS }: SweepRun): number {
  const completedFraction = requests.completed / Math.max(1, requests.submitted);
  if (data.kind === "synthetic") return rate * data.turns * completedFraction;
  const hasSessions = data.kind === "lengths" && data.session !== null;
  return hasSessions ? requests.completed / arrivalSpanS : rate * completedFraction;
}
