import { INTERVAL_LEVEL } from "../../metrics/interval.js";
import type { Regime } from "../../metrics/regime.js";
import { REGIME_GROUPS, type RegimeGroup, regimeGroup } from "../../metrics/regimeErrors.js";
import type { RunComparison } from "../compareRun.js";
import { COMPARED_NAMES, COMPARED_NUMBERS, type ComparedNumber, type PredictionIntervals } from "./comparedNumbers.js";

/** How many intervals held what was measured, and how wide they were. */
export interface Coverage {
  readonly numIntervals: number;
  readonly numCovered: number;
  /** Aimed at: `level`. null without intervals. */
  readonly coveredFraction: number | null;
  /** Mean of (high − low) / predicted; the sharper the better at equal coverage. */
  readonly meanRelativeWidth: number | null;
}

/** Coverage over the measured runs: `summary.coverage` in `roofserve.evaluate/1`. */
export interface CoverageSummary {
  readonly level: number;
  readonly draws: number;
  /** Over all numbers of all runs: they are not independent, so `runs` is how much evidence there is. */
  readonly all: Coverage;
  readonly runs: {
    /** Runs with intervals. */
    readonly numRuns: number;
    /** Of these, runs whose intervals all held what was measured. */
    readonly numAllCovered: number;
  };
  /**
   * E2E mean, median TTFT and mean ITL of every run. The numbers of one run err together, so the runs are the
   * evidence, not the intervals.
   */
  readonly headline: Coverage;
  readonly byRegime: Readonly<Record<RegimeGroup, Coverage>>;
  readonly byNumber: Readonly<Record<ComparedNumber, Coverage>>;
}

/** What of an evaluated run tells coverage. */
export interface IntervalledRun {
  readonly regime: Regime;
  readonly metrics: RunComparison["metrics"];
  readonly uncertainty?: RunIntervals;
}

/** Intervals of an evaluated run, and how many worlds they come from. */
export interface RunIntervals {
  readonly draws: number;
  readonly intervals: PredictionIntervals;
}

const HEADLINE: readonly ComparedNumber[] = ["e2eMs.mean", "ttftMs.p50", "itlMs.mean"];

/** Coverage over runs; null when none has intervals. */
export function coverageSummary(runs: readonly IntervalledRun[]): CoverageSummary | null {
  const draws = runs.find(({ uncertainty }) => uncertainty !== undefined)?.uncertainty?.draws;
  if (draws === undefined) return null;
  const inRegime = (group: RegimeGroup) => runs.filter(({ regime }) => regimeGroup(regime) === group);
  return {
    level: INTERVAL_LEVEL,
    draws,
    all: coverage(runs, COMPARED_NAMES),
    runs: coveredRuns(runs),
    headline: coverage(runs, HEADLINE),
    byRegime: recordOf(REGIME_GROUPS, (group) => coverage(inRegime(group), COMPARED_NAMES)),
    byNumber: recordOf(COMPARED_NAMES, (name) => coverage(runs, [name])),
  };
}

function coveredRuns(runs: readonly IntervalledRun[]): CoverageSummary["runs"] {
  const each = runs.map((run) => coverage([run], COMPARED_NAMES)).filter(({ numIntervals }) => numIntervals > 0);
  return {
    numRuns: each.length,
    numAllCovered: each.filter(({ numCovered, numIntervals }) => numCovered === numIntervals).length,
  };
}

/** Coverage of some numbers of some runs. */
export function coverage(runs: readonly IntervalledRun[], names: readonly ComparedNumber[]): Coverage {
  let numIntervals = 0;
  let numCovered = 0;
  let widths = 0;
  for (const { uncertainty, metrics } of runs) {
    for (const name of names) {
      const interval = uncertainty?.intervals[name] ?? null;
      if (interval === null) continue;
      numIntervals++;
      if (interval.covers) numCovered++;
      widths += (interval.high - interval.low) / (COMPARED_NUMBERS[name](metrics).predicted ?? Number.NaN);
    }
  }
  return {
    numIntervals,
    numCovered,
    coveredFraction: numIntervals === 0 ? null : numCovered / numIntervals,
    meanRelativeWidth: numIntervals === 0 ? null : widths / numIntervals,
  };
}

function recordOf<K extends string, V>(keys: readonly K[], value: (key: K) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, V>;
}
