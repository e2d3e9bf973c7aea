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
import { highestRate, type RateBracket } from "./highestRate.js";
import { type PlanCost, type PlanSize, planCost, planSize } from "./planCost.js";
import { holdsSlo, type PlanTrial, type RunPlanTask } from "./planTrial.js";
import { type GpuPrice, type PriceTable, priceOf } from "./priceTable.js";

/** Requests that are enough to see a server's latencies without any load. */
const NUM_IDLE_REQUESTS = 200;

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
  /** Whether no other plan is at most as dear and at most as slow, and better in one of these. */
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
      highestRate(guessPerS, (rate) => settledTrial(atRate({ ...config, seed }, rate), tryLoad), holdsSlo),
    ),
  );
  const ratesOfSeedsPerS = brackets.map(heldPerS);
  const highestRatePerS = Math.min(...ratesOfSeedsPerS);
  const size = planSize(highestRatePerS, config.engine.tensorParallelSize, targetPerS);
  const trials = await Promise.all(
    seeds.map((seed) => settledRun(atRate({ ...config, seed }, size.ratePerReplicaPerS), tryLoad)),
  );
  const run = meanRun(trials.map((trial) => trial.run));
  return {
    highestRatePerS,
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

/** Times a trial may be made longer, each time by as much again. */
const MAX_LONGER = 6;

/**
 * A trial that is long enough to believe it when it says that the SLO holds: a fast server gets through the requests of one
 * before it has settled. A trial that fails would fail the more the longer it is.
 */
async function settledTrial(config: RunConfig, tryLoad: TryLoad): Promise<PlanTrial> {
  return longerUntil(
    config,
    (load) => tryLoad(load, true),
    (trial) => !holdsSlo(trial) || trial.run === null || isSettled(trial.run),
  );
}

/** The same of a run whose numbers are asked for. */
async function settledRun(config: RunConfig, tryLoad: TryLoad): Promise<WholeTrial> {
  return longerUntil(
    config,
    (load) => wholeRun(load, tryLoad),
    ({ run }) => isSettled(run),
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
  const { run } = await wholeRun(withProfile(config, profile), tryLoad);
  const { requestsPerS } = run.throughput;
  if (requestsPerS === null || requestsPerS === 0) throw new CannotServe("it completes no request");
  return requestsPerS;
}

async function requireIdleSlo(config: RunConfig, tryLoad: TryLoad): Promise<void> {
  const maxRequests = Math.min(config.workload.maxRequests ?? NUM_IDLE_REQUESTS, NUM_IDLE_REQUESTS);
  const idle = withProfile(config, { kind: "synchronous" });
  const { checks } = await wholeRun({ ...idle, workload: { ...idle.workload, maxRequests } }, tryLoad);
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
  return names.length === 0 && isOverrun ? ["growing queue"] : names;
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

function withProfile(config: RunConfig, profile: ArrivalProfile): RunConfig {
  return { ...config, workload: { ...config.workload, profile } };
}

/** What is served at a rate, which counts sessions where they have several turns. */
function requestsPerS({ workload: { data } }: RunConfig, rate: number, run: SweepRun): number {
  const hasSessions = data.kind === "lengths" && data.session !== null;
  return hasSessions ? run.requests.submitted / run.arrivalSpanS : rate;
}
