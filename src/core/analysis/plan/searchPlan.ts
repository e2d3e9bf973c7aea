import type { RunConfig } from "../../engine/runConfig.js";
import { InvariantError } from "../../errors/simulationError.js";
import type { Interval } from "../../metrics/interval.js";
import { medianInterval } from "../../metrics/medianInterval.js";
import type { Slo } from "../../metrics/slo.js";
import { type ArrivalProfile, GUIDELLM_MAX_CONCURRENCY } from "../../workload/arrivalConfig.js";
import { turnsPerStart } from "../../workload/turnsPerStart.js";
import type { SweepSeries } from "../sweep/runSweep.js";
import { brokenNames, brokenText, CannotServe, printRate } from "./cannotServe.js";
import { atRate, type CheckedLoad, checkedLoad } from "./checkedLoad.js";
import { type FirstRate, highestRate, RATE_TOLERANCE } from "./highestRate.js";
import { type PlanCost, type PlanSize, planCost } from "./planCost.js";
import type { RunPlanTask } from "./planTrial.js";
import { type GpuPrice, type PriceTable, priceOf } from "./priceTable.js";
import { isCarried, SettledTrials, type TryLoad, wholeTrial } from "./settledTrial.js";

/** What is asked of every candidate. */
export interface PlanQuestion {
  readonly slo: Slo;
  /** Arrivals per second to be served in all; null = what one replica carries. */
  readonly targetPerS: number | null;
  /** Find the rate. The same for every candidate, so that they differ by what they are and not by luck. At least one. */
  readonly seeds: readonly number[];
  /** Check the load that is planned: others than `seeds`, the same for every candidate. At least one. */
  readonly checkSeeds: readonly number[];
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
export interface FeasiblePlan extends PlanHead, PlanSize, PlanCost, Omit<CheckedLoad, "size"> {
  readonly isFeasible: true;
  /**
   * The most that one replica carries: the lower end of `rateInterval`, to `RATE_TOLERANCE`; less where no target was given and
   * the seeds that check it did not bear it out: then `loweredFromPerS` is that end.
   */
  readonly highestRatePerS: number;
  /** The highest rate that holds with each seed alone. */
  readonly ratesOfSeedsPerS: readonly number[];
  /** What the median of such rates over all seeds is known to, by `PlanResult.confidence`; null with one seed. */
  readonly rateInterval: Interval | null;
  /** What breaks first above these rates: names of checks, `growing queue`. */
  readonly brokenAbove: readonly string[];
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

/**
 * Finds the most that a server carries within an SLO: for each seed by itself, from what a closed loop reaches. Then how many
 * of it carry the target, which other seeds check, and what that costs.
 */
export async function searchPlan(series: SweepSeries, question: PlanQuestion, runTask: RunPlanTask): Promise<Plan> {
  const config = series.configs[0] as RunConfig;
  const { label, varied } = series;
  const { tensorParallelSize } = config.engine;
  const price = priceOf(question.prices, config.gpu);
  const head = { label, varied, gpu: config.gpu, tensorParallelSize, price };
  const tryLoad: TryLoad = async (load, stopsEarly) => {
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

async function searchServer(
  config: RunConfig,
  { targetPerS, seeds, checkSeeds }: PlanQuestion,
  price: GpuPrice | null,
  tryLoad: TryLoad,
): Promise<Omit<FeasiblePlan, keyof PlanHead | "isFeasible" | "isPareto">> {
  const searches = await searchSeeds(config, seeds, tryLoad);
  const ratesOfSeedsPerS = searches.map(({ ratePerS }) => ratePerS);
  const rateInterval = medianInterval(ratesOfSeedsPerS);
  const highestPerS = rateInterval?.low ?? (ratesOfSeedsPerS[0] as number);
  const { size, ...checked } = await checkedLoad(config, { highestPerS, targetPerS, checkSeeds }, tryLoad);
  return {
    highestRatePerS: targetPerS === null ? size.ratePerReplicaPerS : highestPerS,
    ratesOfSeedsPerS,
    rateInterval,
    brokenAbove: [...new Set(searches.flatMap(({ brokenAbove }) => brokenAbove))],
    ...size,
    ...planCost(size, checked.load, price?.usdPerGpuHour ?? null),
    ...checked,
    numTrials: searches.reduce((sum, { numTrials }) => sum + numTrials, 0),
  };
}

/** The most that one seed's requests let a server carry. */
interface SeedSearch {
  readonly ratePerS: number;
  readonly brokenAbove: readonly string[];
  readonly numTrials: number;
  /** How long its trials had to be. */
  readonly multiple: number;
}

/** The first guess may be far off; another seed's answer is near the first one's, and trials near saturation are long. */
const FIRST_STEP = 2;
const NEXT_STEP = RATE_TOLERANCE;

/** Each seed's highest rate, in their order: the first from what a closed loop reaches, the others from there on. */
async function searchSeeds(config: RunConfig, seeds: readonly number[], tryLoad: TryLoad): Promise<SeedSearch[]> {
  const guessPerS = await closedLoopPerS(config, tryLoad);
  const [firstSeed, ...otherSeeds] = seeds as readonly [number, ...number[]];
  const search = (seed: number, first: FirstRate, multiple: number) =>
    searchSeed({ ...config, seed }, first, multiple, tryLoad);
  const first = await search(firstSeed, { ratePerS: guessPerS, step: FIRST_STEP }, 1);
  const begin = { ratePerS: first.ratePerS, step: NEXT_STEP };
  const others = otherSeeds.map((seed) => search(seed, begin, first.multiple));
  return [first, ...(await Promise.all(others))];
}

/** @param multiple how long the first trial is: `SettledTrials.multiple` */
async function searchSeed(
  config: RunConfig,
  first: FirstRate,
  multiple: number,
  tryLoad: TryLoad,
): Promise<SeedSearch> {
  const trials = new SettledTrials(tryLoad, { multiple });
  const { held, failed, numTrials } = await highestRate(
    first,
    (rate) => trials.verdict(atRate(config, rate)),
    isCarried,
  );
  const brokenAbove = failed === null ? [] : brokenNames(failed.trial);
  if (held !== null) return { ratePerS: held.ratePerS, brokenAbove, numTrials, multiple: trials.multiple };
  await requireIdleSlo(config, tryLoad);
  throw new CannotServe(
    `breaks ${brokenAbove.join(", ")} at the least load tried, ${printRate(failed?.ratePerS ?? 0)}`,
  );
}

/** Requests per second that GuideLLM's throughput profile gets out of the server: about what it can carry at all. */
async function closedLoopPerS(config: RunConfig, tryLoad: TryLoad): Promise<number> {
  const profile = { kind: "throughput", maxConcurrency: GUIDELLM_MAX_CONCURRENCY, rampUpS: 0 } as const;
  const { run } = await wholeTrial(withProfile(patient(config), profile), tryLoad);
  const { requestsPerS } = run.throughput;
  if (requestsPerS === null || requestsPerS === 0) throw new CannotServe("it completes no request");
  return requestsPerS / turnsPerStart(config.workload.data);
}

/** Where no load is held, says so if not even one request at a time is. */
async function requireIdleSlo(config: RunConfig, tryLoad: TryLoad): Promise<void> {
  const { checks } = await wholeTrial(withProfile(patient(config), { kind: "synchronous" }), tryLoad);
  const broken = checks.filter(({ isMet }) => !isMet).map(brokenText);
  if (broken.length > 0) throw new CannotServe(`even one request at a time: ${broken.join(", ")}`);
}

/** Clients that wait for ever: a probe of the server shall not depend on how long they would at a load of another kind. */
function patient(config: RunConfig): RunConfig {
  return { ...config, workload: { ...config.workload, timeoutS: null } };
}

function withProfile(config: RunConfig, profile: ArrivalProfile): RunConfig {
  return { ...config, workload: { ...config.workload, profile } };
}
