import { CsvError, type Info, parse } from "csv-parse/sync";
import { DataFileError } from "../../core/errors/simulationError.js";
import { csvText } from "../results/csvCells.js";
import { textLines } from "./textLines.js";
import { TraceRecord } from "./traceRecord.js";

/** One row of a CSV file, the header too. */
export interface CsvRow {
  readonly cells: readonly string[];
  /** Line of the file, from 1. */
  readonly row: number;
}

/** So many characters at least go to the parser at a time: to start it takes as long as to read a hundred rows. */
const PIECE_CHARACTERS = 1 << 16;

/**
 * Streams a CSV file with a header, row by row, whatever its length.
 * @param required columns that must be there; others may be, in any order
 * @throws DataFileError for a missing or doubled column, a row of another length, or broken quoting
 */
export function* csvRecords(file: string, required: readonly string[]): Generator<TraceRecord> {
  let header: readonly string[] | null = null;
  for (const { cells, row } of csvRows(file)) {
    if (header === null) {
      checkHeader(file, cells, required);
      header = cells;
    } else {
      yield toRecord(file, row, header, cells);
    }
  }
}

/**
 * The rows of a file that are not empty, cells trimmed, their line ends "\n". Plain lines are split at their commas, ten times as fast as a
 * parser does it; a line with a quote begins a piece that goes to the parser and ends where no cell is open.
 */
export function* csvRows(file: string): Generator<CsvRow> {
  let row = 0;
  let piece: string[] = [];
  let numCharacters = 0;
  let isOpen = false;
  for (const line of textLines(file)) {
    row++;
    if (piece.length === 0 && isPlain(line)) {
      const text = withoutReturn(line);
      if (text !== "") yield { cells: text.split(",").map((cell) => cell.trim()), row };
      continue;
    }
    // The parser counts a return and newline inside a cell as two lines.
    piece.push(withoutReturn(line));
    numCharacters += line.length;
    if (hasOddQuotes(line)) isOpen = !isOpen;
    if (isOpen || numCharacters < PIECE_CHARACTERS) continue;
    yield* parsedRows(file, piece, row - piece.length);
    piece = [];
    numCharacters = 0;
  }
  if (piece.length > 0) yield* parsedRows(file, piece, row - piece.length);
}

/** Whether a line is nothing but cells and the commas between them. */
function isPlain(line: string): boolean {
  const text = withoutReturn(line);
  return !/["\r]/.test(text) && (text === "" || text.trim() !== "");
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

/** A quote within a quoted cell is doubled, so that an odd number opens or closes one. */
function hasOddQuotes(line: string): boolean {
  let isOdd = false;
  for (let at = line.indexOf('"'); at >= 0; at = line.indexOf('"', at + 1)) isOdd = !isOdd;
  return isOdd;
}

/** @param numBefore lines of the file above the piece */
function parsedRows(file: string, piece: readonly string[], numBefore: number): CsvRow[] {
  try {
    const rows = parse(piece.join("\n"), {
      info: true,
      record_delimiter: "\n",
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as readonly { readonly record: string[]; readonly info: Info }[];
    return rows.map(({ record, info }) => ({ cells: record, row: numBefore + info.lines }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const row = numBefore + (Number(error.lines ?? 0) || 1);
    const message = error.message.replace(/ at line (\d+)/, (_, line) => ` at line ${numBefore + Number(line)}`);
    throw new DataFileError({ file, row }, `is not valid CSV: ${message}`);
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
  for (let i = 0; i < header.length; i++) fields[header[i]!] = csvText(cells[i]!);
  return new TraceRecord(file, row, fields);
}
