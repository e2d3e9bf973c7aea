import type { RunComparison } from "../compareRun.js";
import { type Check, check } from "./finding.js";

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

const points = (what: string, value: number, least: number): Check =>
  check(what, value, "points", `≥ ${least}`, (given) => given >= least);

const morePoints = (what: string, value: number): Check => check(what, value, "points", "> 0", (given) => given > 0);

/** H1: TPOT improves by ≥ 3 points, and more where memory binds more of the step. */
export function bandwidthChecks(pairs: readonly ReplayedPair[]): Check[] {
  const sorted = [...pairs].sort((a, b) => a.memoryBoundFraction - b.memoryBoundFraction);
  const half = Math.floor(sorted.length / 2);
  const more = improvement(sorted.slice(-half), tpotError) - improvement(sorted.slice(0, half), tpotError);
  return [
    points("TPOT |error| falls by", improvement(pairs, tpotError), 3),
    morePoints("more in the memory-bound half of the runs by", more),
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
  return [points("E2E |error| of GQA models falls by", gqa, 2), morePoints("more than of MHA models by", gqa - mha)];
}

/** H4: E2E improves by ≥ 1 point. */
export function perKernelChecks(pairs: readonly ReplayedPair[]): Check[] {
  return [points("E2E |error| falls by", improvement(pairs, e2eError), 1)];
}

/** H5: E2E improves by ≥ 2 points over low and high load, and in the same experiments more at high load. */
export function mixChecks(low: readonly ReplayedPair[], high: readonly ReplayedPair[]): Check[] {
  const both = low.filter(({ experiment }) => high.some((pair) => pair.experiment === experiment));
  const more = improvement(high, e2eError) - improvement(both, e2eError);
  return [
    points("E2E |error| falls by", improvement([...low, ...high], e2eError), 2),
    morePoints("more at the highest load than at the lowest by", more),
  ];
}

/** H6: predictions vary less from request to request, and the E2E error does not grow by more than 1 point. */
export function interpolationChecks(pairs: readonly ReplayedPair[], spread: { on: number; off: number }): Check[] {
  const less = (1 - spread.on / spread.off) * 100;
  const value = improvement(pairs, e2eError);
  return [
    check("the spread of predicted over measured E2E falls by", less, "%", "> 0", (given) => given > 0),
    points("E2E |error| falls by", value, -1),
  ];
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
