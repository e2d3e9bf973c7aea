import { statSync } from "node:fs";
import type { RequestSpec } from "../../core/request/requestSpec.js";
import type { SpecStream } from "../../core/workload/specStream.js";
import { checkReadOptions, type ReadTraceOptions, readTrace, streamTrace } from "./readTrace.js";
import { detectTraceFormat, requireTraceFile, traceRows } from "./traceFormat.js";
import { type TraceRow, TraceTally } from "./traceRow.js";

/**
 * Larger files are read as the run goes; smaller ones are not read twice. A row takes about 700 bytes in memory and may
 * have ten in the file: this much of it, at most 70 MB.
 */
const WHOLE_UP_TO_BYTES = 2 ** 20;

/** A trace ready for a run. */
export interface OpenTrace {
  readonly specs: readonly RequestSpec[] | SpecStream;
  /** What the user should know, one line each. */
  readonly warnings: readonly string[];
}

/**
 * Opens a trace for a run: the same requests as `readTrace` gives. A large one is first read through, so that what is
 * wrong with it is said before the run, and then again as the run goes; only its ids are held, and the names of its
 * contents, where it has any. One that is not sorted by arrival is read whole.
 * @throws DataFileError as `readTrace`
 */
export async function openTrace(
  file: string,
  options: Pick<ReadTraceOptions, "limit" | "timeScale"> = {},
  wholeUpToBytes: number = WHOLE_UP_TO_BYTES,
): Promise<OpenTrace> {
  checkReadOptions(options);
  requireTraceFile(file);
  if (statSync(file).size <= wholeUpToBytes) return readTrace(file, options);
  const tally = new TraceTally();
  const rows = traceRows(file, detectTraceFormat(file), tally);
  const length = countInOrder(rows, options.limit ?? Number.POSITIVE_INFINITY);
  // The whole-file reader sorts, or says what is wrong.
  if (length === null || length === 0) return readTrace(file, options);
  return { specs: { length, open: () => streamTrace(file, options) }, warnings: tally.warnings() };
}

/** @returns null when a row arrives before the one above it, or when two may have the same id */
function countInOrder(rows: Iterable<TraceRow>, limit: number): number | null {
  const ids = new Set<string>();
  let numRows = 0;
  let lastUs = Number.NEGATIVE_INFINITY;
  for (const { id, arrivalUs } of rows) {
    if (arrivalUs < lastUs || mayRepeat(id, numRows, ids)) return null;
    lastUs = arrivalUs;
    numRows++;
    if (numRows >= limit) break;
  }
  return numRows;
}

/**
 * Whether a row's id may be that of one above. Remembers ids, but not the ones that rows have by their place: a long
 * trace of a run has no others.
 * @param ids those above that are remembered
 */
function mayRepeat(id: string | undefined, index: number, ids: Set<string>): boolean {
  if (ids.has(id ?? `req-${index}`)) return true;
  if (id === undefined || id === `req-${index}`) return false;
  ids.add(id);
  return Number(/^req-(\d+)$/.exec(id)?.[1]) < index;
}
