import type { RunSummary } from "../../engine/simulate.js";
import type { Interval } from "../../metrics/interval.js";
import { REGIME_LABELS, type RegimeLabel } from "../../metrics/regime.js";
import { type OfHeadlines, ofHeadlines } from "../../metrics/runUncertainty.js";
import { T_INTERVAL_LEVEL, tInterval } from "../../metrics/tInterval.js";
import type { SweepRun } from "./sweepRun.js";

/** 95 % t-intervals of the mean over seeds, of the headline numbers. */
export interface SeedIntervals {
  readonly level: number;
  readonly method: "student-t";
  readonly intervals: OfHeadlines<Interval>;
}

/** Means and throughputs of a point, seed by seed: two sweeps of the same seeds are compared by them. */
export type SeedValues = Readonly<Record<SeedValueName, readonly (number | null)[]>>;

/** Headline numbers whose value in each seed is kept, by where they stand in a point. */
const SEED_VALUES = {
  "ttftMs.mean": ({ ttftMs }) => ttftMs.mean,
  "tpotMs.mean": ({ tpotMs }) => tpotMs.mean,
  "itlMs.mean": ({ itlMs }) => itlMs.mean,
  "gapMs.mean": ({ gapMs }) => gapMs.mean,
  "e2eMs.mean": ({ e2eMs }) => e2eMs.mean,
  "throughput.requestsPerS": ({ throughput }) => throughput.requestsPerS,
  "throughput.outputTokensPerS": ({ throughput }) => throughput.outputTokensPerS,
} as const satisfies Readonly<Record<string, (run: SweepRun) => number | null>>;
export type SeedValueName = keyof typeof SEED_VALUES;

/**
 * The mean over seeds of every number of a point. What has no mean: the regime's label is the middle one of the seeds',
 * the higher of two; notes are all that any seed has.
 * @param runs at least one
 */
export function meanRun(runs: readonly SweepRun[]): SweepRun {
  const { notes: _notes, regime: _regime, bottleneck: _bottleneck, quantiles, ...first } = runs[0] as SweepRun;
  const pick = (run: SweepRun): typeof first => {
    const { notes: _n, regime: _r, bottleneck: _b, quantiles: _q, ...numbers } = run;
    return numbers;
  };
  return {
    ...meanOf(runs.map(pick)),
    regime: meanRegime(runs.map(({ regime }) => regime)),
    notes: [...new Set(runs.flatMap(({ notes }) => notes))],
    bottleneck: meanShares(runs.map(({ bottleneck }) => bottleneck)),
    quantiles: runs.length === 1 ? quantiles : meanQuantiles(runs),
  };
}

/** Intervals across seeds; null for a single seed. */
export function seedIntervals(runs: readonly SweepRun[]): SeedIntervals | null {
  if (runs.length < 2) return null;
  const intervals = ofHeadlines((pick) => tInterval(runs.map(pick)));
  return { level: T_INTERVAL_LEVEL, method: "student-t", intervals };
}

/** Values of each seed, parallel to the seeds; null for a single seed, whose values the point's own numbers are. */
export function seedValues(runs: readonly SweepRun[]): SeedValues | null {
  if (runs.length < 2) return null;
  const values = Object.entries(SEED_VALUES).map(([name, of]) => [name, runs.map(of)]);
  return Object.fromEntries(values) as SeedValues;
}

/** The mean of each number in objects of the same shape; null counts as absent, and is the mean of nothing. */
function meanOf<T>(samples: readonly T[]): T {
  const present = samples.filter((sample) => sample !== null);
  const [first] = present;
  if (first === undefined) return null as T;
  if (typeof first === "number") return ((present as number[]).reduce((sum, x) => sum + x, 0) / present.length) as T;
  const objects = present as Readonly<Record<string, unknown>>[];
  const keys = Object.keys(first as object);
  return Object.fromEntries(keys.map((key) => [key, meanOf(objects.map((object) => object[key]))])) as T;
}

function meanRegime(regimes: readonly RunSummary["regime"][]): RunSummary["regime"] {
  const label = middleLabel(regimes.map((regime) => regime.label));
  const typical = regimes.find((regime) => regime.label === label) as RunSummary["regime"];
  const numbers = meanOf(
    regimes.map(({ utilisation, sharedFraction, limitedFraction, queueGrowth }) => ({
      utilisation,
      sharedFraction,
      limitedFraction,
      queueGrowth,
    })),
  );
  return { ...typical, ...numbers };
}

function middleLabel(labels: readonly RegimeLabel[]): RegimeLabel {
  const order = labels.map((label) => REGIME_LABELS.indexOf(label)).sort((a, b) => a - b);
  return REGIME_LABELS[order[order.length >> 1] as number] as RegimeLabel;
}

/** A component that a run does without has a share of 0 there. Largest first. */
function meanShares(shares: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = [...new Set(shares.flatMap((share) => Object.keys(share)))];
  const means = names.map((name): [string, number] => [
    name,
    shares.reduce((sum, share) => sum + (share[name] ?? 0), 0) / shares.length,
  ]);
  return Object.fromEntries(means.sort(([, a], [, b]) => b - a));
}

function meanQuantiles(runs: readonly SweepRun[]): SweepRun["quantiles"] {
  const mean = (latency: keyof SweepRun["quantiles"]): number[] => {
    const curves = runs.map(({ quantiles }) => quantiles[latency]).filter((curve) => curve.length > 0);
    return (curves[0] ?? []).map((_, i) => meanOf(curves.map((curve) => curve[i] as number)));
  };
  return { ttftMs: mean("ttftMs"), tpotMs: mean("tpotMs"), e2eMs: mean("e2eMs") };
}
