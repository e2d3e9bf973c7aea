import type { PricingConfig } from "../config/pricingConfig.js";
import type { Regime } from "../metrics/regime.js";
import { REGIME_GROUPS, type RegimeGroup, regimeGroup } from "../metrics/regimeErrors.js";
import { type CombinedBreakdown, combinedBreakdown } from "./combinedBreakdown.js";
import type { RunComparison } from "./compareRun.js";
import type { ErrorBreakdown } from "./errorBreakdown.js";
import { type CoverageSummary, coverageSummary, type RunIntervals } from "./uncertainty/coverage.js";

/** One run of one experiment, replayed; `excluded` says why it does not enter the summary. */
export interface EvaluatedRun {
  readonly name: string;
  readonly model: string;
  readonly gpu: string;
  readonly tensorParallelSize: number;
  readonly numRequests: number;
  /** Requests that completed both when measured and when simulated: only they are compared. */
  readonly numCompared: number;
  readonly excluded: string | null;
  /** How far the simulated server was from saturation. */
  readonly regime: Regime;
  readonly metrics: RunComparison["metrics"];
  readonly perRequest: RunComparison["perRequest"];
  /** 80 % intervals of the predictions, where they were asked for. */
  readonly uncertainty?: RunIntervals;
  /** Errors by group, where they were asked for. */
  readonly breakdown?: ErrorBreakdown;
}

/** Spread of one error over the runs that count, percent; null when no run has it. */
export interface ErrorSummary {
  readonly mean: number | null;
  readonly median: number | null;
  readonly max: number | null;
}

/** Errors over some runs, by metric. */
export interface ErrorsByMetric {
  readonly e2eMeanApe: ErrorSummary;
  readonly e2eP99Ape: ErrorSummary;
  readonly ttftMeanApe: ErrorSummary;
  readonly ttftP50Ape: ErrorSummary;
  readonly ttftP99Ape: ErrorSummary;
  readonly itlMeanApe: ErrorSummary;
}

/** The `roofserve.evaluate/1` contract. */
export interface EvaluationReport {
  readonly schema: "roofserve.evaluate/1";
  /** What priced the steps of all runs, as in a run's config. */
  readonly pricing?: PricingConfig;
  readonly benchData?: string | null;
  readonly experiments: readonly EvaluatedRun[];
  readonly summary: ErrorsByMetric & {
    /** The same errors by the regime of the simulated server. */
    readonly byRegime: Readonly<Record<RegimeGroup, ErrorsByMetric & { readonly numRuns: number }>>;
    /** How often intervals held what was measured, where they were asked for. */
    readonly coverage?: CoverageSummary;
    /** Errors by group over the runs that count, where they were asked for. */
    readonly breakdown?: CombinedBreakdown;
  };
}

/** Puts evaluated runs under one summary; excluded runs are listed but not counted. */
export function evaluationReport(experiments: readonly EvaluatedRun[]): EvaluationReport {
  const counted = experiments.filter((run) => run.excluded === null);
  const byRegime = Object.fromEntries(
    REGIME_GROUPS.map((group) => {
      const runs = counted.filter((run) => regimeGroup(run.regime) === group);
      return [group, { numRuns: runs.length, ...errorsByMetric(runs) }];
    }),
  ) as EvaluationReport["summary"]["byRegime"];
  const coverage = coverageSummary(counted);
  const breakdown = combinedBreakdown(counted.flatMap(({ breakdown }) => breakdown ?? []));
  const summary = {
    ...errorsByMetric(counted),
    byRegime,
    ...(coverage === null ? {} : { coverage }),
    ...(breakdown === null ? {} : { breakdown }),
  };
  return { schema: "roofserve.evaluate/1", experiments, summary };
}

function errorsByMetric(runs: readonly EvaluatedRun[]): ErrorsByMetric {
  const over = (ape: (run: EvaluatedRun) => number | null): ErrorSummary => summariseErrors(runs.map(ape));
  return {
    e2eMeanApe: over((run) => run.metrics.e2eMs.mean.ape),
    e2eP99Ape: over((run) => run.metrics.e2eMs.p99.ape),
    ttftMeanApe: over((run) => run.metrics.ttftMs.mean.ape),
    ttftP50Ape: over((run) => run.metrics.ttftMs.p50.ape),
    ttftP99Ape: over((run) => run.metrics.ttftMs.p99.ape),
    itlMeanApe: over((run) => run.metrics.itlMs.mean.ape),
  };
}

function summariseErrors(errors: readonly (number | null)[]): ErrorSummary {
  const sorted = errors.filter((error) => error !== null).sort((a, b) => a - b);
  if (sorted.length === 0) return { mean: null, median: null, max: null };
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2;
  return { mean: sorted.reduce((sum, error) => sum + error, 0) / sorted.length, median, max: sorted.at(-1) as number };
}
