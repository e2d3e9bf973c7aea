import type { MeasuredRun } from "../../metrics/measuredExperiment.js";
import type { RequestRecord } from "../../metrics/requestRecord.js";
import { e2eMs } from "../../metrics/runMetrics.js";
import { type CalibrationCase, isAsyncCase, replayAt, waitSizes } from "./calibrationCase.js";
import { CALIBRATION_TERMS, type CalibrationStart, startValues, type TermValues } from "./calibrationTerms.js";
import { inverse, type Matrix, transpose } from "./matrix.js";
import { NUM_MOMENTS, type RunMoments, runMoments } from "./runMoments.js";
import { type RunSplit, splitRun, usableRequests } from "./splitRun.js";

/**
 * Kernel times of a run differ from their prices by about this share for reasons that no term stands for: identical
 * runs of one server differ by 2 to 3 % end to end, and queues amplify 1 % of kernel time to 1.3 to 2.7 %.
 */
export const KERNEL_TIME_SPREAD = 0.015;
/** Above so many percent of latency per percent of kernel time a run says more of its queue than of its server. */
export const MAX_AMPLIFICATION = 4;
/** Fewer usable requests make no residual of their own. */
const MIN_RUN_REQUESTS = 10;
/** Perturbations for derivatives: well above the rounding of a run, well below what changes its regime. */
const KERNEL_NUDGE = 0.01;
const STEP_NUDGE_US = 200;

/** A run that takes part in a fit. */
export interface FittedRun {
  readonly run: MeasuredRun;
  readonly split: RunSplit;
}

/** What one experiment says of the terms, near the starting values. */
export interface Evidence {
  readonly from: CalibrationCase;
  readonly start: CalibrationStart;
  readonly runs: readonly FittedRun[];
  /** Runs left out, each with the reason. */
  readonly leftOut: readonly string[];
  /** `[moment of each run][term]`: what µs of a term add to the simulated moment. */
  readonly sensitivities: Matrix;
  /** Inverse covariance of the moments, kernel-time spread included. */
  readonly precision: Matrix;
  readonly covariance: Matrix;
  /** Replays each fitted run at given values; the same values are simulated once. */
  readonly replay: (values: TermValues) => readonly (readonly RequestRecord[])[];
}

/** Residual moments of all fitted runs at given values of the terms, one after the other. */
export function momentsAt({ runs, replay }: Evidence, values: TermValues): number[] {
  const replays = replay(values);
  return runs.flatMap(({ run, split }, i) => runMoments(run, replays[i]!, split).values);
}

/**
 * Replays an experiment three times per run (as it is, with longer steps, with slower kernels) and derives what its
 * moments say. Runs near saturation are left out: see `MAX_AMPLIFICATION`.
 */
export function gatherEvidence(from: CalibrationCase, start: CalibrationStart, seed: number): Evidence {
  const values = startValues(start, isAsyncCase(from));
  const leftOut: string[] = [];
  const runs: FittedRun[] = [];
  const linear: LinearRun[] = [];
  const base: (readonly RequestRecord[])[] = [];
  for (const run of from.runs) {
    const unfit = reasonUnfit(run);
    if (unfit !== null) {
      leftOut.push(`${run.name}: ${unfit}`);
      continue;
    }
    const split = splitRun(run, seed);
    const records = replayAt(from, run, values, start);
    const line = linearise(from, start, { run, split }, values, records);
    if (line.amplification > MAX_AMPLIFICATION) {
      leftOut.push(
        `${run.name}: near saturation (1 % of kernel time moves its latency by ${line.amplification.toFixed(1)} %)`,
      );
      continue;
    }
    runs.push({ run, split });
    linear.push(line);
    base.push(records);
  }
  const covariance = stackedCovariance(linear);
  return {
    from,
    start,
    runs,
    leftOut,
    sensitivities: linear.flatMap((line) => line.sensitivities),
    covariance,
    precision: inverse(covariance),
    replay: remembered(values, base, (at) => runs.map(({ run }) => replayAt(from, run, at, start))),
  };
}

function reasonUnfit({ excluded, measured }: MeasuredRun): string | null {
  if (excluded !== null) return excluded;
  const numUsable = usableRequests(measured).length;
  return numUsable < MIN_RUN_REQUESTS ? `${numUsable} usable requests` : null;
}

interface LinearRun {
  readonly moments: RunMoments;
  readonly sensitivities: Matrix;
  /** What 1 = 100 % of kernel time adds to each simulated moment. */
  readonly kernelSensitivities: readonly number[];
  readonly amplification: number;
}

function linearise(
  from: CalibrationCase,
  start: CalibrationStart,
  { run, split }: FittedRun,
  values: TermValues,
  records: readonly RequestRecord[],
): LinearRun {
  const moments = runMoments(run, records, split);
  const slower = replayAt(from, run, values, start, 1 + KERNEL_NUDGE);
  const longer = replayAt(from, run, { ...values, stepUs: values.stepUs + STEP_NUDGE_US }, start);
  const slope = (nudged: readonly RequestRecord[], nudge: number) =>
    runMoments(run, nudged, split).values.map((value, i) => (moments.values[i]! - value) / nudge);
  const perStepUs = slope(longer, STEP_NUDGE_US);
  const size = waitSizes(from);
  const columns: Record<(typeof CALIBRATION_TERMS)[number], readonly number[]> = {
    // A longer way in moves a whole run in time: TTFT by as much, and nothing else.
    frontEndUs: [1, 0, 0],
    stepUs: perStepUs,
    frontEndUsPerPromptToken: [moments.meanPromptTokens, 1, 0],
    kernelGapUsPerLayer: perStepUs.map((us) => us * size.gap),
    rankSkewUsPerDoubling: perStepUs.map((us) => us * size.skew),
  };
  const sensitivities = transpose(CALIBRATION_TERMS.map((term) => columns[term]));
  const amplification = (meanE2eMs(split, slower) / meanE2eMs(split, records) - 1) / KERNEL_NUDGE;
  return { moments, sensitivities, kernelSensitivities: slope(slower, KERNEL_NUDGE), amplification };
}

function meanE2eMs({ training }: RunSplit, records: readonly RequestRecord[]): number {
  const latencies = training
    .flat()
    .map((i) => e2eMs(records[i]!))
    .filter((ms) => !Number.isNaN(ms));
  return latencies.reduce((sum, ms) => sum + ms, 0) / latencies.length;
}

/**
 * The noise of each run, and beside it the spread of kernel times: half of its variance is the server's, which all runs
 * share, half the run's own. It moves each moment by itself (prefills, long prompts and decodes run other kernels), so
 * that no moment is used to explain another away.
 */
function stackedCovariance(linear: readonly LinearRun[]): number[][] {
  const slopes = linear.flatMap((line) => line.kernelSensitivities);
  return slopes.map((slope, i) =>
    slopes.map((other, j) => {
      const kernels = i % NUM_MOMENTS === j % NUM_MOMENTS ? (slope * other * KERNEL_TIME_SPREAD ** 2) / 2 : 0;
      const run = Math.floor(i / NUM_MOMENTS);
      if (run !== Math.floor(j / NUM_MOMENTS)) return kernels;
      const noise = linear[run]!.moments.covariance[i % NUM_MOMENTS]![j % NUM_MOMENTS]!;
      return noise + (i === j ? 2 : 1) * kernels;
    }),
  );
}

/** Simulates each set of values once: a fit comes back to where it was. */
function remembered<T>(known: TermValues, its: T, simulate: (values: TermValues) => T): (values: TermValues) => T {
  const keyOf = (values: TermValues) => CALIBRATION_TERMS.map((term) => values[term]).join(" ");
  const results = new Map([[keyOf(known), its]]);
  return (values) => {
    const key = keyOf(values);
    const result = results.get(key) ?? simulate(values);
    // Only the latest is kept beside the first: records of a long run are large.
    results.clear();
    results.set(keyOf(known), its).set(key, result);
    return result;
  };
}
