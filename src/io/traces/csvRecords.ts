import { createReadStream } from "node:fs";
import { CsvError, type Info, parse } from "csv-parse";
import { DataFileError } from "../../core/errors/simulationError.js";
import { TraceRecord } from "./traceRecord.js";

interface CsvRow {
  readonly record: readonly string[];
  readonly info: Info;
}

/**
 * Streams a CSV file with a header, row by row, whatever its length.
 * @param required columns that must be there; others may be, in any order
 * @throws DataFileError for a missing or doubled column, a row of another length, or broken quoting
 */
export async function* csvRecords(file: string, required: readonly string[]): AsyncGenerator<TraceRecord> {
  const options = { bom: true, info: true, relax_column_count: true, skip_empty_lines: true, trim: true } as const;
  const input = createReadStream(file);
  const parser = input.pipe(parse(options));
  input.on("error", (error) => parser.destroy(error));
  let header: readonly string[] | null = null;
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvRow>) {
      if (header === null) {
        checkHeader(file, record, required);
        header = record;
      } else {
        yield toRecord(file, info.lines, header, record);
      }
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
