import type { Comparison } from "../core/evaluation/compareRun.js";
import type { ErrorSummary, EvaluatedRun, EvaluationReport } from "../core/evaluation/evaluationReport.js";
import {
  COMPARED_NAMES,
  COMPARED_NUMBERS,
  type ComparedNumber,
} from "../core/evaluation/uncertainty/comparedNumbers.js";
import type { Regime } from "../core/metrics/regime.js";
import { REGIME_GROUPS, regimeGroup } from "../core/metrics/regimeErrors.js";
import { breakdownTable } from "./breakdownTable.js";
import { COMPARED_TITLES } from "./comparedTitles.js";
import { pricedBy } from "./pricedBy.js";
import { REGIME_NAMES } from "./regimeWords.js";
import { signedError } from "./signedNumber.js";
import { type Column, numberColumns, printNumber, textTable } from "./textTable.js";
import { coverageTable, printInterval } from "./uncertaintyTable.js";

/** Measured beside predicted for every run, then the errors over all of them. */
export function evaluationTable(report: EvaluationReport): string {
  const { summary, experiments } = report;
  const overall = textTable(numberColumns("|error| over runs, %", "mean", "median", "max"), [
    errorRow("E2E mean", summary.e2eMeanApe),
    errorRow("E2E p99", summary.e2eP99Ape),
    errorRow("TTFT mean", summary.ttftMeanApe),
    errorRow("TTFT p50", summary.ttftP50Ape),
    errorRow("TTFT p99", summary.ttftP99Ape),
    errorRow("ITL mean", summary.itlMeanApe),
  ]);
  const excluded = experiments.filter((run) => run.excluded !== null);
  const exclusions = excluded.map((run) => `excluded from the summary: ${run.name}: ${run.excluded}\n`);
  const errors = experiments.length > 1 ? [errorsByRun(experiments)] : [];
  const coverage = summary.coverage === undefined ? [] : [coverageTable(summary.coverage)];
  const parts = [
    ...experiments.map(runTable),
    ...errors,
    `${overall}${exclusions.join("")}`,
    errorsByRegime(summary),
    ...coverage,
    ...(summary.breakdown === undefined ? [] : [breakdownTable(summary.breakdown)]),
  ];
  return `${pricedByLine(report)}${parts.join("\n")}`;
}

/** What priced the steps, where it is not the plain additive model, and an empty line. */
export function pricedByLine(report: Pick<EvaluationReport, "pricing" | "benchData"> = {}): string {
  const { pricing, benchData = null } = report;
  const words = pricing === undefined ? "" : pricedBy({ pricing, benchData });
  return words === "" ? "" : `${words}\n\n`;
}

function runTable(run: EvaluatedRun): string {
  const { name: title, model, gpu, tensorParallelSize, numRequests, numCompared, perRequest } = run;
  const compared = numCompared === numRequests ? "" : `, ${numCompared} completed in both worlds and compared`;
  const heading = `${title}\n${model} on ${tensorParallelSize} × ${gpu}, ${numRequests} requests${compared}; ${regimeWords(run.regime)}\n`;
  const rows = COMPARED_NAMES.map((name) => {
    const comparison = COMPARED_NUMBERS[name](run.metrics);
    const numbers = [printNumber(comparison.measured), printNumber(comparison.predicted), signedPercent(comparison)];
    return [COMPARED_TITLES[name], ...numbers, ...intervalCells(run, name)];
  });
  const intervalTitles = run.uncertainty === undefined ? [] : ["80 % interval", "holds"];
  const requests = `per request, mean |error|: E2E ${printNumber(perRequest.e2eMape)} %, TTFT ${printNumber(perRequest.ttftMape)} %\n`;
  return `${heading}${textTable(numberColumns("", "measured", "predicted", "error %", ...intervalTitles), rows)}${requests}`;
}

function intervalCells({ uncertainty }: EvaluatedRun, name: ComparedNumber): string[] {
  if (uncertainty === undefined) return [];
  const interval = uncertainty.intervals[name];
  return [printInterval(interval), interval === null ? "–" : interval.covers ? "yes" : "no"];
}

/** Latencies whose errors stand side by side. */
const ERROR_TITLES = ["E2E mean", "E2E p99", "TTFT mean", "TTFT p50", "TTFT p99", "ITL mean"];

/** One line a run, so that the odd one stands out. */
function errorsByRun(experiments: readonly EvaluatedRun[]): string {
  const rows = experiments.map((run) => {
    const { e2eMs, ttftMs, itlMs } = run.metrics;
    const errors = [e2eMs.mean, e2eMs.p99, ttftMs.mean, ttftMs.p50, ttftMs.p99, itlMs.mean].map(signedPercent);
    return [
      run.excluded === null ? run.name : `${run.name} (excluded)`,
      REGIME_NAMES[regimeGroup(run.regime)],
      ...errors,
    ];
  });
  const [name, ...metrics] = numberColumns("error, %", ...ERROR_TITLES);
  return textTable([name as Column, { title: "saturation", align: "left" }, ...metrics], rows);
}

/** The mean errors of the runs in each regime. */
function errorsByRegime({ byRegime }: EvaluationReport["summary"]): string {
  const groups = REGIME_GROUPS.filter((group) => byRegime[group].numRuns > 0);
  const rows = groups.map((group) => {
    const { numRuns, e2eMeanApe, e2eP99Ape, ttftMeanApe, ttftP50Ape, ttftP99Ape, itlMeanApe } = byRegime[group];
    const errors = [e2eMeanApe, e2eP99Ape, ttftMeanApe, ttftP50Ape, ttftP99Ape, itlMeanApe];
    const means = errors.map(({ mean }) => printNumber(mean));
    return [REGIME_NAMES[group], String(numRuns), ...means];
  });
  return textTable(numberColumns("mean |error| by saturation, %", "runs", ...ERROR_TITLES), rows);
}

function regimeWords(regime: Regime): string {
  return `${REGIME_NAMES[regimeGroup(regime)]}, load share ${printNumber(100 * regime.utilisation, 0)} %`;
}

function errorRow(title: string, errors: ErrorSummary): string[] {
  return [title, printNumber(errors.mean), printNumber(errors.median), printNumber(errors.max)];
}

/** Error of a prediction with its sign, percent; a dash without both numbers. */
export function signedPercent({ measured, predicted, ape }: Comparison): string {
  if (ape === null || measured === null || predicted === null) return "–";
  return signedError((predicted / measured - 1) * 100);
}
