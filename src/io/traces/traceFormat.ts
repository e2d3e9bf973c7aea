import { closeSync, openSync, readSync, statSync } from "node:fs";
import { DataFileError } from "../../core/errors/simulationError.js";
import { AZURE_COLUMNS, azureRows } from "./azureTrace.js";
import { BURST_GPT_COLUMNS, burstGptRows } from "./burstGptTrace.js";
import { csvRecords } from "./csvRecords.js";
import { BAILIAN_LAYOUT, hashBlockRows, MOONCAKE_LAYOUT } from "./hashBlockTrace.js";
import { jsonlRecords } from "./jsonlRecords.js";
import { otelRows } from "./otelTrace.js";
import { OWN_TRACE_REQUIRED_COLUMNS, ownRows } from "./ownTrace.js";
import type { TraceRow, TraceTally } from "./traceRow.js";
import { VIDUR_COLUMNS, vidurRows } from "./vidurTrace.js";

/** Traces we read, with what to look for in their first line. */
export const TRACE_FORMATS = ["csv", "jsonl", "azure", "vidur", "burstgpt", "mooncake", "bailian", "otel"] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

/** CSV formats by the columns they must have. */
const CSV_FORMATS: readonly (readonly [TraceFormat, readonly string[]])[] = [
  ["csv", OWN_TRACE_REQUIRED_COLUMNS],
  ["azure", AZURE_COLUMNS],
  ["vidur", VIDUR_COLUMNS],
  ["burstgpt", BURST_GPT_COLUMNS],
];
/** JSONL formats by keys of their first line; the first that fits wins. */
const JSONL_FORMATS: readonly (readonly [TraceFormat, readonly string[]])[] = [
  ["otel", ["resourceSpans"]],
  ["bailian", ["chat_id", "timestamp", "input_length"]],
  ["mooncake", ["timestamp", "input_length"]],
  ["jsonl", ["arrival_s"]],
];

/** How much of a file is looked at; the first line of an OTel or Mooncake file can be long. */
const HEAD_BYTES = 1 << 20;

/**
 * Recognises a trace by its first line.
 * @throws DataFileError when the file is missing, empty, or nothing we know
 */
export function detectTraceFormat(file: string): TraceFormat {
  const firstLine = readFirstLine(file);
  if (firstLine.startsWith("{")) return jsonlFormat(file, firstLine);
  const columns = firstLine.split(",").map((column) => column.trim().replace(/^"(.*)"$/, "$1"));
  const exact = CSV_FORMATS.find(([, required]) => required.every((column) => columns.includes(column)));
  const partial = CSV_FORMATS.find(([, required]) => required.some((column) => columns.includes(column)));
  // A file with some columns of a format is one that lacks others: its reader names them.
  const format = exact ?? partial;
  if (format !== undefined) return format[0];
  const known = CSV_FORMATS.map(([name, required]) => `${name} (${required.join(",")})`).join(", ");
  const problem = `is no trace we know: the first line is "${shorten(firstLine)}"; expected JSON lines or a CSV header of ${known}`;
  throw new DataFileError({ file, row: 1 }, problem);
}

/** @throws DataFileError when the file is missing, a folder, unreadable, empty or not text */
export function requireTraceFile(file: string): void {
  readFirstLine(file);
}

/** Opens a trace as rows in file order. */
export function traceRows(file: string, format: TraceFormat, tally: TraceTally): Iterable<TraceRow> {
  switch (format) {
    case "csv":
      return ownRows(csvRecords(file, OWN_TRACE_REQUIRED_COLUMNS), tally);
    case "jsonl":
      return ownRows(jsonlRecords(file), tally);
    case "azure":
      return azureRows(file, tally);
    case "vidur":
      return vidurRows(file, tally);
    case "burstgpt":
      return burstGptRows(file, tally);
    case "mooncake":
      return hashBlockRows(file, tally, MOONCAKE_LAYOUT);
    case "bailian":
      return hashBlockRows(file, tally, BAILIAN_LAYOUT);
    case "otel":
      return otelRows(file, tally);
  }
}

function jsonlFormat(file: string, firstLine: string): TraceFormat {
  const format = JSONL_FORMATS.find(([, keys]) => keys.every((key) => firstLine.includes(`"${key}"`)));
  if (format !== undefined) return format[0];
  // Our own format, so that the reader names the key that is missing.
  if (firstLine.includes('"prompt_tokens"')) return "jsonl";
  const known = JSONL_FORMATS.map(([name, keys]) => `${name} (${keys.join(", ")})`).join(", ");
  const problem = `is no trace we know: the first line is ${shorten(firstLine)}; expected one JSON object per line with the keys of ${known}`;
  throw new DataFileError({ file, row: 1 }, problem);
}

/** The first line that is not blank, without byte order mark. */
function readFirstLine(file: string): string {
  const buffer = Buffer.alloc(HEAD_BYTES);
  const numBytes = readHead(file, buffer);
  const text = buffer.toString("utf8", 0, numBytes).replace(/^\uFEFF/, "");
  const line = text.split(/\r?\n/, 1000).find((candidate) => candidate.trim() !== "");
  if (line === undefined) throw new DataFileError({ file }, "the trace is empty; it must have at least one request");
  if (text.includes("\0")) throw new DataFileError({ file }, "is not text; unpack it, or save it as UTF-8");
  return line.trim();
}

function readHead(file: string, buffer: Buffer): number {
  let handle: number;
  try {
    const stats = statSync(file);
    if (stats.isDirectory()) throw new DataFileError({ file }, "is a folder; give a trace file");
    // It is read more than once.
    if (!stats.isFile()) throw new DataFileError({ file }, "is no regular file; write what it gives to a file first");
    handle = openSync(file, "r");
  } catch (error) {
    if (error instanceof DataFileError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const problem = code === "ENOENT" ? "no such file; check the path" : `cannot be read (${code ?? message})`;
    throw new DataFileError({ file }, problem);
  }
  try {
    return readSync(handle, buffer, 0, buffer.length, 0);
  } finally {
    closeSync(handle);
  }
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
