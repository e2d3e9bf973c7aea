import type { RunComparison } from "../compareRun.js";
import { type Check, check, type Load } from "./finding.js";

/** One experiment at one load, replayed with a correction and without it. */
export interface ReplayedPair {
  readonly experiment: string;
  readonly on: RunComparison;
  readonly off: RunComparison;
  /** Fewer KV heads than query heads. */
  readonly isGqa: boolean;
  /** Share of a typical decode step's GPU time that memory bounds, 0 … 1. */
  readonly memoryBoundFraction: number;
}

/** A run's |error| of the mean, percent. */
type Error = (comparison: RunComparison) => number;

export const e2eError: Error = ({ metrics }) => metrics.e2eMs.mean.ape ?? Number.NaN;
export const tpotError: Error = ({ metrics }) => metrics.itlMs.mean.ape ?? Number.NaN;
export const ttftError: Error = ({ metrics }) => metrics.ttftMs.mean.ape ?? Number.NaN;

/** How many points of percent the correction takes off the mean |error| of the pairs; negative = it makes them worse. */
export function improvement(pairs: readonly ReplayedPair[], error: Error): number {
  return mean(pairs.map(({ off, on }) => error(off) - error(on)).filter((points) => !Number.isNaN(points)));
}

/**
 * An |error| must fall.
 * @param points that it fell by
 * @param least points it must fall by; below 0 it may rise, so much at most
 */
export function errorFalls(error: string, points: number, least: number, loads: readonly Load[] = ["lightest"]): Check {
  const required = least >= 0 ? `a fall ≥ ${least}` : `a rise ≤ ${-least}`;
  const words = { what: `${error} |error| falls by`, whatBelowZero: `${error} |error| rises by` };
  return check({ ...words, value: points, unit: "points", required, loads }, (given) => given >= least);
}

/** It must fall more in some runs than in others. @param where which ones, as `at the highest load than at the lowest` */
function fallsMore(where: string, points: number, loads: readonly Load[] = ["lightest"]): Check {
  const words = { what: `more ${where} by`, whatBelowZero: `less ${where} by` };
  return check({ ...words, value: points, unit: "points", required: "more", loads }, (given) => given > 0);
}

/** H1: TPOT improves by ≥ 3 points, and more where memory binds more of the step. */
export function bandwidthChecks(pairs: readonly ReplayedPair[]): Check[] {
  const sorted = [...pairs].sort((a, b) => a.memoryBoundFraction - b.memoryBoundFraction);
  const half = Math.floor(sorted.length / 2);
  const more = improvement(sorted.slice(-half), tpotError) - improvement(sorted.slice(0, half), tpotError);
  return [
    errorFalls("TPOT", improvement(pairs, tpotError), 3),
    fallsMore("in the memory-bound half of the runs", more),
  ];
}

/** H3: E2E improves by ≥ 2 points on models with grouped queries, and more than on those without. */
export function fusionChecks(pairs: readonly ReplayedPair[]): Check[] {
  const gqa = improvement(
    pairs.filter(({ isGqa }) => isGqa),
    e2eError,
  );
  const mha = improvement(
    pairs.filter(({ isGqa }) => !isGqa),
    e2eError,
  );
  return [errorFalls("GQA models' E2E", gqa, 2), fallsMore("than MHA models'", gqa - mha)];
}

/** H4: E2E improves by ≥ 1 point. */
export function perKernelChecks(pairs: readonly ReplayedPair[]): Check[] {
  return [errorFalls("E2E", improvement(pairs, e2eError), 1)];
}

/** H5: E2E improves by ≥ 2 points over low and high load, and in the same experiments more at high load. */
export function mixChecks(low: readonly ReplayedPair[], high: readonly ReplayedPair[]): Check[] {
  const both = low.filter(({ experiment }) => high.some((pair) => pair.experiment === experiment));
  const more = improvement(high, e2eError) - improvement(both, e2eError);
  const loads = ["lightest", "heaviest"] as const;
  return [
    errorFalls("E2E", improvement([...low, ...high], e2eError), 2, loads),
    fallsMore("at the heaviest load than at the lightest", more, loads),
  ];
}

/** H6: predictions vary less from request to request, and the E2E error does not grow by more than 1 point. */
export function interpolationChecks(pairs: readonly ReplayedPair[], spread: { on: number; off: number }): Check[] {
  const less = (1 - spread.on / spread.off) * 100;
  const spreadOf = "the spread of predicted over measured E2E";
  const words = { what: `${spreadOf} falls by`, whatBelowZero: `${spreadOf} rises by` };
  return [
    check({ ...words, value: less, unit: "%", required: "a fall", loads: ["lightest"] }, (given) => given > 0),
    errorFalls("E2E", improvement(pairs, e2eError), -1),
  ];
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
