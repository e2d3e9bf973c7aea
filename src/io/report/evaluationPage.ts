import { ROOFSERVE_VERSION } from "../../core/engine/version.js";
import type { EvaluationReport } from "../../core/evaluation/evaluationReport.js";
import type { MeasuredQuantiles } from "../../core/evaluation/measuredQuantiles.js";
import type { ReportPage } from "../../report/reportPage.js";

/**
 * The page of an evaluation: how far off the predictions were, number by number, and both distributions of each run.
 * @param quantiles parallel to `report.experiments`
 * @param config what all runs were simulated with where their files do not say
 */
export function evaluationPage(
  report: EvaluationReport,
  quantiles: readonly MeasuredQuantiles[],
  config: object,
): ReportPage {
  const { experiments } = report;
  const { coverage: _coverage, breakdown: _breakdown, ...summary } = report.summary;
  const numExcluded = experiments.filter(({ excluded }) => excluded !== null).length;
  const numRuns = experiments.length - numExcluded;
  const models = new Set(experiments.map(({ model }) => model));
  return {
    schema: "roofserve.report/1",
    version: ROOFSERVE_VERSION,
    title: `${numRuns} measured ${numRuns === 1 ? "run" : "runs"}, replayed`,
    subtitle: [...models].join(", "),
    sections: [
      { kind: "evaluation-answer", summary, numRuns, numExcluded },
      {
        kind: "scatter",
        runs: experiments.map(({ name, metrics, excluded, regime }) => ({ name, metrics, excluded, regime })),
      },
      {
        kind: "two-worlds",
        runs: experiments.map(({ name, model, gpu, tensorParallelSize, numCompared }, i) => ({
          name,
          model,
          hardware: `${tensorParallelSize} × ${gpu}`,
          numCompared,
          quantiles: quantiles[i]!,
        })),
      },
      {
        kind: "config",
        config,
        says: "What the command line set for all runs; everything else comes from the measured runs' own files.",
        notes: [],
      },
    ],
  };
}
