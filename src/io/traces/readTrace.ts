import { ConfigError, DataFileError } from "../../core/errors/simulationError.js";
import type { RequestSpec } from "../../core/request/requestSpec.js";
import { shareSessionHistory } from "./sessionHistory.js";
import { spreadEqualArrivals } from "./spreadArrivals.js";
import { detectTraceFormat, requireTraceFile, type TraceFormat, traceRows } from "./traceFormat.js";
import { type TraceRow, TraceTally } from "./traceRow.js";
import { traceSpec } from "./traceSpec.js";

/** How a trace is read; all may be left out. */
export interface ReadTraceOptions {
  /** Default: recognised by the first line. */
  readonly format?: TraceFormat;
  /** Rows read at most, from the top of the file, ≥ 1. */
  readonly limit?: number;
  /** Factor on arrival times, > 0: 0.5 = twice the request rate. */
  readonly timeScale?: number;
  /** Shift arrivals so that the first is at 0; default true, but false for our own formats. */
  readonly startAtZero?: boolean;
  /** Spread requests with equal arrivals evenly until the next possible one: undoes coarse time stamps. */
  readonly spreadArrivals?: boolean;
  /** Prompts open with so many tokens that all share, where the trace says nothing of their contents; default 0. */
  readonly sharedPrefixTokens?: number;
  /** Prompts of a session repeat the prompts and outputs before them, where they are long enough; default false. */
  readonly shareSessionHistory?: boolean;
}

/** A trace as requests. */
export interface TraceResult {
  readonly format: TraceFormat;
  /** Sorted by arrival; equal arrivals keep the file's order. */
  readonly specs: RequestSpec[];
  /** What the user should know, one line each. */
  readonly warnings: string[];
  /** Rows left out because they were failed requests; `warnings` says why. */
  readonly numDropped: number;
}

/**
 * Reads a whole trace of any known format.
 * @throws DataFileError with file, row, column, what was given and what is expected; also for a trace without requests
 */
export async function readTrace(file: string, options: ReadTraceOptions = {}): Promise<TraceResult> {
  checkReadOptions(options);
  requireTraceFile(file);
  const format = options.format ?? detectTraceFormat(file);
  const tally = new TraceTally();
  const rows: TraceRow[] = [];
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  for (const row of traceRows(file, format, tally)) {
    rows.push(row);
    if (rows.length >= limit) break;
  }
  if (rows.length === 0) throw new DataFileError({ file }, emptyProblem(tally));
  if (sortByArrival(rows) && format !== "otel") tally.warn("arrivals are not in order; requests were sorted");
  const arrivals = arrivalsUs(rows, format, options);
  let specs = toSpecs(file, rows, arrivals, options.sharedPrefixTokens ?? 0);
  if (options.shareSessionHistory === true) specs = shareSessionHistory(specs);
  return { format, specs, warnings: tally.warnings(), numDropped: tally.numDropped };
}

/**
 * Reads a trace of any length as requests, one by one, in file order; what `readTrace` does to the whole file at once
 * (sorting, spreading, sessions, duplicate ids) is not done.
 * @throws DataFileError also when an arrival is before the one above it
 */
export function* streamTrace(
  file: string,
  options: Pick<ReadTraceOptions, "format" | "limit" | "timeScale" | "startAtZero" | "sharedPrefixTokens"> = {},
): Generator<RequestSpec> {
  checkReadOptions(options);
  requireTraceFile(file);
  const format = options.format ?? detectTraceFormat(file);
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  let originUs = Number.NaN;
  let lastUs = 0;
  let index = 0;
  for (const row of traceRows(file, format, new TraceTally())) {
    if (index === 0) originUs = (options.startAtZero ?? startsAtZeroByDefault(format)) ? row.arrivalUs : 0;
    const arrivalUs = Math.round((row.arrivalUs - originUs) * (options.timeScale ?? 1));
    if (arrivalUs < lastUs) {
      const problem = "arrives before the row above; sort the file by arrival, or read it whole";
      throw new DataFileError({ file, row: row.row }, problem);
    }
    lastUs = arrivalUs;
    yield traceSpec(row, index++, arrivalUs, options.sharedPrefixTokens ?? 0);
    if (index >= limit) return;
  }
}

/** @throws ConfigError for a number out of range */
export function checkReadOptions(options: ReadTraceOptions): void {
  const { limit, timeScale, sharedPrefixTokens } = options;
  const problem = (path: string, value: number, allowed: string) =>
    new ConfigError([{ path: `trace.${path}`, received: String(value), allowed }]);
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1)) {
    throw problem("limit", limit, "must be an integer ≥ 1");
  }
  if (timeScale !== undefined && !(timeScale > 0 && timeScale <= 1e6)) {
    throw problem("timeScale", timeScale, "must be above 0 and at most 1000000");
  }
  if (sharedPrefixTokens !== undefined && !(Number.isInteger(sharedPrefixTokens) && sharedPrefixTokens >= 0)) {
    throw problem("sharedPrefixTokens", sharedPrefixTokens, "must be an integer ≥ 0 (tokens)");
  }
}

function emptyProblem(tally: TraceTally): string {
  if (tally.numRows === 0) return "the trace is empty; it must have at least one request";
  return `the trace has no usable request: ${tally.warnings().join("; ")}`;
}

/** Sorts in place, stably; tells whether anything moved. */
function sortByArrival(rows: TraceRow[]): boolean {
  const isSorted = rows.every((row, i) => i === 0 || rows[i - 1]!.arrivalUs <= row.arrivalUs);
  if (!isSorted) rows.sort((a, b) => a.arrivalUs - b.arrivalUs);
  return !isSorted;
}

/** Our own files count from the start of the run already. */
function startsAtZeroByDefault(format: TraceFormat): boolean {
  return format !== "csv" && format !== "jsonl";
}

function arrivalsUs(rows: readonly TraceRow[], format: TraceFormat, options: ReadTraceOptions): number[] {
  const startsAtZero = options.startAtZero ?? startsAtZeroByDefault(format);
  const originUs = startsAtZero ? rows[0]!.arrivalUs : 0;
  const shifted = rows.map((row) => row.arrivalUs - originUs);
  const spread = options.spreadArrivals === true ? spreadEqualArrivals(shifted) : shifted;
  const timeScale = options.timeScale ?? 1;
  return spread.map((arrivalUs) => Math.round(arrivalUs * timeScale));
}

function toSpecs(
  file: string,
  rows: readonly TraceRow[],
  arrivals: readonly number[],
  sharedPrefixTokens: number,
): RequestSpec[] {
  const rowOfId = new Map<string, number>();
  return rows.map((row, index) => {
    const spec = traceSpec(row, index, arrivals[index]!, sharedPrefixTokens);
    const other = rowOfId.get(spec.id);
    if (other !== undefined) {
      const problem = `two requests have the id "${spec.id}" (the other is in row ${other}); ids must differ`;
      throw new DataFileError({ file, row: row.row }, problem);
    }
    rowOfId.set(spec.id, row.row);
    return spec;
  });
}
