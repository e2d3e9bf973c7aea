import { calibratedVersion } from "../core/evaluation/calibration/applyCalibration.js";
import type { BeforeAfter } from "../core/evaluation/calibration/calibrate.js";
import type { RequestErrors } from "../core/evaluation/calibration/calibrationErrors.js";
import type { Calibration } from "../core/evaluation/calibration/calibrationSchema.js";
import { TERM_MEANINGS } from "../core/evaluation/calibration/calibrationTerms.js";
import type { CalibrationCheck } from "../core/evaluation/calibration/checkCalibration.js";
import type { CrossValidation, HeldOutRun } from "../core/evaluation/calibration/crossValidate.js";
import { RESIDUAL_TERMS, type ResidualTerm } from "../core/evaluation/calibration/residualTerms.js";
import { STALE_PERCENT } from "../core/evaluation/calibration/staleness.js";
import { type ErrorSummary, type EvaluatedRun, evaluationReport } from "../core/evaluation/evaluationReport.js";
import { signedPercent } from "./evaluationTable.js";
import { type Column, columnsOf, numberColumns, printNumber, textTable } from "./textTable.js";

const RESIDUAL_MEANINGS: Readonly<Record<ResidualTerm, string>> = {
  usPerOutputToken: "residual, per output token",
  usPerPromptToken: "residual, per prompt token",
  usPerRequest: "residual, per request",
};

/** A coefficient set for people: what moved and how sure that is, then what it is good for. */
export function calibrationTable(calibration: Calibration): string {
  const { name, model, gpu, tensorParallelSize, asyncScheduling, source, date } = calibration;
  const mode = asyncScheduling ? "asynchronous" : "synchronous";
  const title =
    `${name}: fitted on ${source}${date === null ? "" : ` of ${date}`}\n` +
    `${model} on ${tensorParallelSize} × ${gpu}, ${calibratedVersion(calibration)}, ${mode} scheduling\n\n`;
  const notes = calibration.notes.map((note) => `${note}\n`).join("");
  return `${title}${termTable(calibration)}\n${errorTable(calibration)}${notes}`;
}

function termTable({ terms, residual }: Calibration): string {
  const keys = ["frontEndUs", "frontEndUsPerPromptToken", "stepUs", "kernelGapUsPerLayer"] as const;
  const rows = keys.map((key) => {
    const { start, value, fitted, low80, high80, status } = terms[key];
    // What is believed before the run is not what the run says.
    const said = status === "not identifiable" ? [null, null, null] : [fitted, low80, high80];
    const numbers = [start, ...said, value].map((us) => printNumber(us));
    return [TERM_MEANINGS[key], ...numbers, statusWords(status)];
  });
  const rest = RESIDUAL_TERMS.map((key) => {
    const { value, fitted, low80, high80, kept, reason } = residual[key];
    const numbers = [0, fitted, low80, high80, value].map((us) => printNumber(us));
    return [RESIDUAL_MEANINGS[key], ...numbers, kept ? "kept" : `not kept: ${reason}`];
  });
  const columns = columnsOf("µs", "built-in#", "the run says#", "80 % from#", "to#", "used#", "");
  return textTable(columns, [...rows, ...rest]);
}

function statusWords(status: Calibration["terms"]["frontEndUs"]["status"]): string {
  if (status === "fitted") return "fitted";
  if (status === "agrees") return "agrees with the built-in: that is used";
  return "not identifiable on this run: the built-in is used";
}

function errorTable({ errors, split }: Calibration): string {
  const row = (title: string, { before, after }: BeforeAfter) => [
    title,
    String(after.numRequests),
    ...printErrors(before, after),
  ];
  const table = textTable(requestErrorColumns(), [
    row("training", errors.training),
    row("validation", errors.validation),
  ]);
  return `${table}split: ${split.method}\n`;
}

function requestErrorColumns(): Column[] {
  return columnsOf("per request, mean |error| %", "requests#", ...beforeAfter("E2E", "TTFT", "ITL"));
}

/** Two columns for each metric: what it was, and what it became. */
function beforeAfter(...metrics: readonly string[]): string[] {
  return metrics.flatMap((metric) => [`${metric} before#`, "after#"]);
}

function printErrors(before: RequestErrors, after: RequestErrors): string[] {
  const keys = ["e2eMape", "ttftMape", "itlMape"] as const;
  return keys.flatMap((key) => [printNumber(before[key]), printNumber(after[key])]);
}

/** What `--check` found: before = the built-in constants, after = the calibration. */
export function checkTable(check: CalibrationCheck & { readonly calibration: string; readonly run: string }): string {
  const { calibration, run, before, errors, numCompared, numRequests, dropped } = check;
  const rows = [[run, String(numCompared), ...printErrors(before, errors)]];
  const compared =
    numCompared === numRequests ? "" : `${numCompared} of ${numRequests} requests compared: ${dropped.join("; ")}\n`;
  return (
    `${calibration} on ${run}; before = the built-in constants, after = the calibration\n` +
    `${textTable(requestErrorColumns(), rows)}${compared}${verdictWords(check)}\n`
  );
}

function verdictWords({ verdict, leftOut, reasons }: CalibrationCheck): string {
  if (verdict === "not applicable") return `not applicable: ${leftOut.join("; ")}; calibrate on this run`;
  if (verdict === "stale") return `stale: ${reasons.join(", ")}, more than ${STALE_PERCENT} %; calibrate on this run`;
  return `fresh: no error above ${STALE_PERCENT} %`;
}

/** Errors of runs that took no part in the fits that predict them, before and after. */
export function crossValidationTable(result: CrossValidation): string {
  const start = result.start === "built-in" ? "the built-in constants" : "no constants at all";
  const sections = [
    section("Leave one model out: each model from all others", result.leaveOneModelOut, runRows),
    section("One other run: all other experiments from each one, mean |error|", result.oneOtherRun, sourceRows),
    section("Same server: each run from the other runs of its experiment", result.sameServer, runRows),
  ];
  const shown = sections.filter((text) => text !== "");
  const nothing = "nothing to cross-validate: give several experiments, or one with several runs\n";
  return `before = ${start}; after = calibrated on runs that do not include the one predicted\n\n${shown.join("\n") || nothing}`;
}

function section(
  title: string,
  runs: readonly HeldOutRun[],
  rowsOf: (runs: readonly HeldOutRun[]) => string[][],
): string {
  if (runs.length === 0) return "";
  const columns = columnsOf("error, %", ...beforeAfter("E2E mean", "TTFT mean", "TTFT p50", "ITL mean"), "");
  const { before, after } = summaries(runs);
  const means = textTable(numberColumns("mean |error|, %", "before", "after", "worst before", "worst after"), [
    summaryRow("E2E mean", before.e2eMeanApe, after.e2eMeanApe),
    summaryRow("TTFT mean", before.ttftMeanApe, after.ttftMeanApe),
    summaryRow("TTFT p50", before.ttftP50Ape, after.ttftP50Ape),
    summaryRow("ITL mean", before.itlMeanApe, after.itlMeanApe),
  ]);
  return `${title}\n${textTable(columns, rowsOf(runs))}\n${means}`;
}

function runRows(runs: readonly HeldOutRun[]): string[][] {
  return runs.map(({ before, after, refused }) => [
    before.name,
    ...paired(signedErrors(before), signedErrors(after)),
    refused !== null ? "refused" : before.excluded !== null ? "excluded" : "",
  ]);
}

/** One row per experiment that was calibrated on: thirty pairs are nothing to read. */
function sourceRows(runs: readonly HeldOutRun[]): string[][] {
  const sources = [...new Set(runs.map((run) => run.calibratedOn))];
  return sources.map((source) => {
    const targets = runs.filter((run) => run.calibratedOn === source);
    const { before, after } = summaries(targets);
    const [errorsBefore, errorsAfter] = [before, after].map(({ e2eMeanApe, ttftMeanApe, ttftP50Ape, itlMeanApe }) =>
      [e2eMeanApe, ttftMeanApe, ttftP50Ape, itlMeanApe].map(({ mean }) => printNumber(mean)),
    ) as [string[], string[]];
    return [
      `from ${source}`,
      ...paired(errorsBefore, errorsAfter),
      targets.some(({ refused }) => refused !== null) ? "refused" : "",
    ];
  });
}

function summaries(runs: readonly HeldOutRun[]) {
  return {
    before: evaluationReport(runs.map((run) => run.before)).summary,
    after: evaluationReport(runs.map((run) => run.after)).summary,
  };
}

function summaryRow(title: string, before: ErrorSummary, after: ErrorSummary): string[] {
  return [title, ...[before.mean, after.mean, before.max, after.max].map((percent) => printNumber(percent))];
}

function paired(before: readonly string[], after: readonly string[]): string[] {
  return before.flatMap((text, i) => [text, after[i] as string]);
}

function signedErrors({ metrics }: EvaluatedRun): string[] {
  const { e2eMs, ttftMs, itlMs } = metrics;
  return [e2eMs.mean, ttftMs.mean, ttftMs.p50, itlMs.mean].map(signedPercent);
}
