import type { RunConfig } from "../../engine/runConfig.js";
import type { Slo } from "../../metrics/slo.js";
import { type ArrivalProfile, GUIDELLM_MAX_CONCURRENCY } from "../../workload/arrivalConfig.js";
import { hasSessions, turnsPerStart } from "../../workload/turnsPerStart.js";
import { FURTHER_FACTORS, guidellmSweepRates, MAX_FURTHER_ROUNDS, PROBE_FACTORS } from "./guidellmSweepRates.js";
import { meanRun, seedIntervals, seedValues } from "./meanRun.js";
import { seriesSaturation } from "./saturation.js";
import { isMeasured, loadOf, type MeasuredPoint, type PointResult, type SweepPoint } from "./sweepPoint.js";
import type { RunTask, TaskOutcome } from "./sweepTask.js";

/** One server of the grid, and the loads it is offered. */
export interface SweepSeries {
  readonly label: string;
  readonly varied: Readonly<Record<string, unknown>>;
  /** What each load is offered to; their profiles are the loads, unless GuideLLM's sweep makes them. */
  readonly configs: readonly RunConfig[];
}

/** A sweep to run. */
export interface Sweep {
  readonly series: readonly SweepSeries[];
  /** The same for every point, so that points differ by what was varied and not by luck. At least one. */
  readonly seeds: readonly number[];
  /** Benchmarks of a GuideLLM sweep of each series' first config, probes beyond it not counted; null = the configs' own loads. */
  readonly guidellmSize: number | null;
  /** Limits, on statistics, by which servers are ranked in place of what they serve. */
  readonly slo?: Slo;
}

/** Told how a sweep goes. */
export interface SweepListener {
  /** A point is done. */
  readonly onPoint?: (point: PointResult) => void;
  /** So many points beyond `numPoints` are tried as well. */
  readonly onFurther?: (numFurther: number) => void;
}

/** How many points a sweep has, those not counted that it goes further by where it finds no saturation. */
export function numPoints({ series, guidellmSize }: Sweep): number {
  return series.reduce((sum, { configs }) => sum + numLoads(guidellmSize, configs.length), 0);
}

function numLoads(guidellmSize: number | null, numConfigs: number): number {
  return guidellmSize === null ? numConfigs : guidellmSize + PROBE_FACTORS.length;
}

/**
 * Runs every point of a sweep, as many at a time as `runTask` takes. The result is in the order of the grid and does not
 * depend on the order in which tasks end. A task that fails fails its point and no other.
 */
export async function runSweep(sweep: Sweep, runTask: RunTask, listener: SweepListener = {}): Promise<PointResult[]> {
  const run = async (point: SweepPoint): Promise<PointResult> => {
    const tasks = sweep.seeds.map((seed, repetition) => ({
      config: { ...point.config, seed },
      benchmarkIndex: point.benchmarkIndex,
      point: { label: point.label, index: point.index },
      repetition,
    }));
    const result = pointResult(point, sweep.seeds, await Promise.all(tasks.map(runTask)));
    listener.onPoint?.(result);
    return result;
  };
  const runAll = (points: readonly SweepPoint[]) => Promise.all(points.map(run));
  const runFurther = (points: readonly SweepPoint[]) => {
    listener.onFurther?.(points.length);
    return runAll(points);
  };
  let start = 0;
  const results = sweep.series.map((series, index) => {
    const furtherStart = numPoints(sweep) + index * MAX_FURTHER_ROUNDS * FURTHER_FACTORS.length;
    const place = { series: index, start, furtherStart };
    start += numLoads(sweep.guidellmSize, series.configs.length);
    return sweep.guidellmSize === null
      ? runAll(series.configs.map((config, i) => pointOf(series, place, i, config, 0)))
      : runGuidellmSweep(series, place, sweep.guidellmSize, { runAll, runFurther });
  });
  return (await Promise.all(results)).flat();
}

interface Place {
  readonly series: number;
  /** Points of the series before this one. */
  readonly start: number;
  /** Place of the first point that it goes further by. */
  readonly furtherStart: number;
}

type RunPoints = (points: readonly SweepPoint[]) => Promise<PointResult[]>;

/** Synchronous and throughput, then constant rates between what these two reached, the probes beyond, and further ones where needed. */
async function runGuidellmSweep(
  series: SweepSeries,
  place: Place,
  size: number,
  { runAll, runFurther }: { readonly runAll: RunPoints; readonly runFurther: RunPoints },
): Promise<PointResult[]> {
  const config = series.configs[0] as RunConfig;
  const benchmark = (profile: ArrivalProfile, i: number) =>
    pointOf(series, place, i, { ...config, workload: { ...config.workload, profile } }, i);
  const calibration = await runAll([
    benchmark({ kind: "synchronous" }, 0),
    benchmark({ kind: "throughput", maxConcurrency: GUIDELLM_MAX_CONCURRENCY, rampUpS: 0 }, 1),
  ]);
  // A rate counts what starts, a throughput every turn.
  const turns = turnsPerStart(config.workload.data);
  const [synchronousPerS, throughputPerS] = calibration.map((point) =>
    isMeasured(point) ? (point.throughput.requestsPerS ?? 0) / turns : 0,
  ) as [number, number];
  const rates = guidellmSweepRates(synchronousPerS, throughputPerS, size);
  const probes = synchronousPerS > 0 && throughputPerS > 0 ? PROBE_FACTORS.map((f) => f * throughputPerS) : [];
  const constant = (rate: number, i: number) => benchmark({ kind: "constant", rate, first: "after-gap" }, i);
  const constants = [...rates, ...probes].map((rate, i) => ({
    ...constant(rate, i + calibration.length),
    isProbe: i >= rates.length,
  }));
  const points = [...calibration, ...(await runAll(constants))];
  for (let round = 0; round < MAX_FURTHER_ROUNDS && carriesAll(series, config, points); round++) {
    const highestPerS = points.at(-1)?.rate as number;
    const first = place.furtherStart + round * FURTHER_FACTORS.length;
    const further = FURTHER_FACTORS.map((factor, i) => ({
      ...constant(factor * highestPerS, points.length + i),
      index: first + i,
      isProbe: true,
    }));
    points.push(...(await runFurther(further)));
  }
  return points;
}

/** Whether the last and highest of a series' rates is carried, as are all before it. */
function carriesAll({ label, varied }: SweepSeries, config: RunConfig, points: readonly PointResult[]): boolean {
  const head = { label, varied, hasSessions: hasSessions(config.workload.data) };
  const { sustainedLoad, saturates } = seriesSaturation(head, 0, points);
  return !saturates && sustainedLoad !== null && sustainedLoad === points.at(-1)?.rate;
}

function pointOf(
  { label, varied }: SweepSeries,
  { series, start }: Place,
  i: number,
  config: RunConfig,
  benchmarkIndex: number,
): SweepPoint {
  const load = loadLabel(config.workload.profile);
  return {
    label: label === "" ? load : `${label}, ${load}`,
    series,
    index: start + i,
    varied,
    config,
    benchmarkIndex,
    isProbe: false,
  };
}

/** `constant 0.759/s`, `concurrent 16`, `synchronous`. */
function loadLabel(profile: ArrivalProfile): string {
  const { strategy, rate, streams } = loadOf(profile);
  if (rate !== null) return `${strategy} ${Number(rate.toPrecision(4))}/s`;
  return streams === null ? strategy : `${strategy} ${streams}`;
}

/** @param outcomes parallel to the seeds */
function pointResult(point: SweepPoint, seeds: readonly number[], outcomes: readonly TaskOutcome[]): PointResult {
  const { label, series, index, varied, config, benchmarkIndex, isProbe } = point;
  const head = { label, series, index, varied, ...loadOf(config.workload.profile), benchmarkIndex, isProbe, seeds };
  const failed = outcomes.findIndex(({ failure }) => failure !== undefined);
  const failure = outcomes[failed]?.failure;
  if (failure !== undefined) {
    const isEverySeed = outcomes.every((outcome) => outcome.failure !== undefined);
    const error = isEverySeed ? failure.message : `seed ${seeds[failed]}: ${failure.message}`;
    return { ...head, error, errorCode: failure.code };
  }
  const runs = outcomes.flatMap(({ run }) => run ?? []);
  const mean = meanRun(runs);
  const ofSeeds = { seedIntervals: seedIntervals(runs), seedValues: seedValues(runs) };
  return { ...head, error: null, ...mean, ...ofSeeds, keptUpFraction: keptUp(head.rate, mean) };
}

function keptUp(rate: number | null, run: Pick<MeasuredPoint, "throughput" | "requests" | "arrivalSpanS" | "e2eMs">) {
  const { requestsPerS } = run.throughput;
  const latencyS = (run.e2eMs.mean ?? 0) / 1000;
  if (rate === null || requestsPerS === null || run.arrivalSpanS + latencyS <= 0) return null;
  // A request that the server refuses, whatever the load, is none that it could keep up with.
  const { submitted, rejected } = run.requests;
  return submitted === rejected ? null : requestsPerS / ((submitted - rejected) / (run.arrivalSpanS + latencyS));
}
