import type { RunComparison } from "./compareRun.js";
import type { ErrorBreakdown } from "./errorBreakdown.js";

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
  readonly metrics: RunComparison["metrics"];
  readonly perRequest: RunComparison["perRequest"];
  /** Errors by group, where they were asked for. */
  readonly breakdown?: ErrorBreakdown;
}

/** Spread of one error over the runs that count, percent; null when no run has it. */
export interface ErrorSummary {
  readonly mean: number | null;
  readonly median: number | null;
  readonly max: number | null;
}

/** The `roofserve.evaluate/1` contract. */
export interface EvaluationReport {
  readonly schema: "roofserve.evaluate/1";
  readonly experiments: readonly EvaluatedRun[];
  readonly summary: {
    readonly e2eMeanApe: ErrorSummary;
    readonly e2eP99Ape: ErrorSummary;
    readonly ttftMeanApe: ErrorSummary;
    readonly ttftP50Ape: ErrorSummary;
    readonly itlMeanApe: ErrorSummary;
  };
}

/** Puts evaluated runs under one summary; excluded runs are listed but not counted. */
export function evaluationReport(experiments: readonly EvaluatedRun[]): EvaluationReport {
  const counted = experiments.filter((run) => run.excluded === null);
  const over = (ape: (run: EvaluatedRun) => number | null): ErrorSummary => summariseErrors(counted.map(ape));
  return {
    schema: "roofserve.evaluate/1",
    experiments,
    summary: {
      e2eMeanApe: over((run) => run.metrics.e2eMs.mean.ape),
      e2eP99Ape: over((run) => run.metrics.e2eMs.p99.ape),
      ttftMeanApe: over((run) => run.metrics.ttftMs.mean.ape),
      ttftP50Ape: over((run) => run.metrics.ttftMs.p50.ape),
      itlMeanApe: over((run) => run.metrics.itlMs.mean.ape),
    },
  };
}

function summariseErrors(errors: readonly (number | null)[]): ErrorSummary {
  const sorted = errors.filter((error) => error !== null).sort((a, b) => a - b);
  if (sorted.length === 0) return { mean: null, median: null, max: null };
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2;
  return { mean: sorted.reduce((sum, error) => sum + error, 0) / sorted.length, median, max: sorted.at(-1) as number };
}
