import type { BeforeAfter } from "../core/evaluation/calibration/calibrate.js";
import type { RequestErrors } from "../core/evaluation/calibration/calibrationErrors.js";
import type { Calibration } from "../core/evaluation/calibration/calibrationSchema.js";
import { TERM_MEANINGS } from "../core/evaluation/calibration/calibrationTerms.js";
import type { CrossValidation, HeldOutRun } from "../core/evaluation/calibration/crossValidate.js";
import { RESIDUAL_TERMS, type ResidualTerm } from "../core/evaluation/calibration/residualTerms.js";
import { STALE_PERCENT, type StalenessVerdict } from "../core/evaluation/calibration/staleness.js";
import { type ErrorSummary, type EvaluatedRun, evaluationReport } from "../core/evaluation/evaluationReport.js";
import { columnsOf, numberColumns, printNumber, textTable } from "./textTable.js";

const RESIDUAL_MEANINGS: Readonly<Record<ResidualTerm, string>> = {
  usPerOutputToken: "residual, per output token",
  usPerPromptToken: "residual, per prompt token",
  usPerRequest: "residual, per request",
};

/** A coefficient set for people: what moved and how sure that is, then what it is good for. */
export function calibrationTable(calibration: Calibration): string {
  const { name, model, gpu, tensorParallelSize, simulatedVllmVersion, asyncScheduling, source, date } = calibration;
  const mode = asyncScheduling ? "asynchronous" : "synchronous";
  const version = `vLLM ${calibration.vllmVersion ?? `${simulatedVllmVersion} (assumed)`}`;
  const title =
    `${name}: fitted on ${source}${date === null ? "" : ` of ${date}`}\n` +
    `${model} on ${tensorParallelSize} × ${gpu}, ${version}, ${mode} scheduling\n\n`;
  const notes = calibration.notes.map((note) => `${note}\n`).join("");
  return `${title}${termTable(calibration)}\n${errorTable(calibration)}${notes}`;
}

function termTable({ terms, residual }: Calibration): string {
  const keys = ["frontEndUs", "frontEndUsPerPromptToken", "stepUs", "kernelGapUsPerLayer"] as const;
  const rows = keys.map((key) => {
    const { start, value, low80, high80, status } = terms[key];
    return [TERM_MEANINGS[key], ...[start, value, low80, high80].map((us) => printNumber(us)), statusWords(status)];
  });
  const rest = RESIDUAL_TERMS.map((key) => {
    const { value, low80, high80, kept, reason } = residual[key];
    const numbers = [0, value, low80, high80].map((us) => printNumber(us));
    return [RESIDUAL_MEANINGS[key], ...numbers, kept ? "kept" : `not kept: ${reason}`];
  });
  return textTable(columnsOf("µs", "built-in#", "fitted#", "80 % from#", "to#", ""), [...rows, ...rest]);
}

function statusWords(status: Calibration["terms"]["frontEndUs"]["status"]): string {
  if (status === "fitted") return "fitted";
  if (status === "agrees") return "the run agrees with the default: kept";
  return "not identifiable on this run: kept at its default";
}

function errorTable({ errors, split }: Calibration): string {
  const row = (title: string, { before, after }: BeforeAfter) => [
    title,
    String(after.numRequests),
    ...([before, after] as const).flatMap((set) => printErrors(set)),
  ];
  const table = textTable(
    numberColumns("per request, mean |error| %", "requests", "E2E before", "TTFT", "ITL", "E2E after", "TTFT", "ITL"),
    [row("training", errors.training), row("validation", errors.validation)],
  );
  return `${table}split: ${split.method}\n`;
}

function printErrors({ e2eMape, ttftMape, itlMape }: RequestErrors): string[] {
  return [e2eMape, ttftMape, itlMape].map((percent) => printNumber(percent));
}

/** What `--check` found. */
export interface CalibrationCheck extends StalenessVerdict {
  readonly calibration: string;
  readonly run: string;
  readonly errors: RequestErrors;
}

export function stalenessTable({ calibration, run, errors, isStale, reasons }: CalibrationCheck): string {
  const table = textTable(numberColumns("per request, mean |error| %", "requests", "E2E", "TTFT", "ITL"), [
    [run, String(errors.numRequests), ...printErrors(errors)],
  ]);
  const verdict = isStale
    ? `stale: ${reasons.join(", ")}, more than ${STALE_PERCENT} %; calibrate on a new run`
    : `fresh: no error above ${STALE_PERCENT} %`;
  return `${calibration} on ${run}\n${table}${verdict}\n`;
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
  const metrics = ["TTFT mean#", "TTFT p50#", "ITL#"];
  const columns = columnsOf("error, %", "E2E before#", ...metrics, "E2E after#", ...metrics, "");
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
    ...signedErrors(before),
    ...signedErrors(after),
    refused !== null ? "refused" : before.excluded !== null ? "excluded" : "",
  ]);
}

/** One row per experiment that was calibrated on: thirty pairs are nothing to read. */
function sourceRows(runs: readonly HeldOutRun[]): string[][] {
  const sources = [...new Set(runs.map((run) => run.calibratedOn))];
  return sources.map((source) => {
    const targets = runs.filter((run) => run.calibratedOn === source);
    const { before, after } = summaries(targets);
    const errors = [before, after].flatMap(({ e2eMeanApe, ttftMeanApe, ttftP50Ape, itlMeanApe }) =>
      [e2eMeanApe, ttftMeanApe, ttftP50Ape, itlMeanApe].map(({ mean }) => printNumber(mean)),
    );
    return [`from ${source}`, ...errors, targets.some(({ refused }) => refused !== null) ? "refused" : ""];
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

function signedErrors({ metrics }: EvaluatedRun): string[] {
  const { e2eMs, ttftMs, itlMs } = metrics;
  return [e2eMs.mean, ttftMs.mean, ttftMs.p50, itlMs.mean].map(({ measured, predicted, ape }) => {
    if (ape === null || measured === null || predicted === null) return "–";
    return `${predicted > measured ? "+" : ""}${((predicted / measured - 1) * 100).toFixed(1)}`;
  });
}
