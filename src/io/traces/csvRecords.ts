import { createReadStream } from "node:fs";
import { CsvError, type Info, parse } from "csv-parse";
import { DataFileError } from "../../core/errors/simulationError.js";
import { textLines } from "./textLines.js";
import { TraceRecord } from "./traceRecord.js";

/** One row of a CSV file, the header too. */
export interface CsvRow {
  readonly cells: readonly string[];
  /** Line of the file, from 1. */
  readonly row: number;
}

/**
 * Streams a CSV file with a header, row by row, whatever its length.
 * @param required columns that must be there; others may be, in any order
 * @throws DataFileError for a missing or doubled column, a row of another length, or broken quoting
 */
export async function* csvRecords(file: string, required: readonly string[]): AsyncGenerator<TraceRecord> {
  let header: readonly string[] | null = null;
  for await (const { cells, row } of csvRows(file)) {
    if (header === null) {
      checkHeader(file, cells, required);
      header = cells;
    } else {
      yield toRecord(file, row, header, cells);
    }
  }
}

/** The rows of a file: split at its commas for as long as that is all there is to it, then by a CSV parser. */
async function* csvRows(file: string): AsyncGenerator<CsvRow> {
  let numPlain = 0;
  for (const row of plainRows(file)) {
    if (row === null) {
      yield* parsedRows(file, numPlain);
      return;
    }
    numPlain++;
    yield row;
  }
}

/**
 * Rows of a file without quotes, ten times as fast as a parser has them; null, and no more, at a line with a quote or
 * anything else that is not plain.
 */
export function* plainRows(file: string): Generator<CsvRow | null> {
  let row = 0;
  let endsWithReturn: boolean | null = null;
  for (const line of textLines(file)) {
    row++;
    if (line === "") continue;
    const hasReturn = line.endsWith("\r");
    endsWithReturn ??= hasReturn;
    const text = hasReturn ? line.slice(0, -1) : line;
    if (hasReturn !== endsWithReturn || /["\r]/.test(text) || (text !== "" && text.trim() === "")) {
      yield null;
      return;
    }
    if (text === "") continue;
    const cells = text.split(",");
    for (let i = 0; i < cells.length; i++) cells[i] = cells[i]!.trim();
    yield { cells, row };
  }
}

/** @param numSkipped rows at the start that are known already */
export async function* parsedRows(file: string, numSkipped: number): AsyncGenerator<CsvRow> {
  const options = { bom: true, info: true, relax_column_count: true, skip_empty_lines: true, trim: true } as const;
  const input = createReadStream(file);
  const parser = input.pipe(parse(options));
  input.on("error", (error) => parser.destroy(error));
  let numSeen = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      if (numSeen++ >= numSkipped) yield { cells: record, row: info.lines };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new DataFileError({ file, row: Number(error.lines ?? 0) || 1 }, `is not valid CSV: ${error.message}`);
  } finally {
    input.destroy();
  }
}

function checkHeader(file: string, header: readonly string[], required: readonly string[]): void {
  const missing = required.filter((column) => !header.includes(column));
  if (missing.length > 0) {
    const problem = `the header has no column ${missing.join(", ")}; it has ${header.join(", ")}`;
    throw new DataFileError({ file, row: 1 }, problem);
  }
  const doubled = header.find((column, i) => header.indexOf(column) !== i);
  if (doubled !== undefined) {
    throw new DataFileError({ file, row: 1, column: doubled }, "the column is there twice; remove one");
  }
}

function toRecord(file: string, row: number, header: readonly string[], cells: readonly string[]): TraceRecord {
  if (cells.length !== header.length) {
    const problem = `has ${cells.length} cells, the header has ${header.length}; is the file truncated or a comma missing?`;
    throw new DataFileError({ file, row }, problem);
  }
  const fields: Record<string, string> = {};
  for (let i = 0; i < header.length; i++) fields[header[i]!] = cells[i]!;
  return new TraceRecord(file, row, fields);
}
