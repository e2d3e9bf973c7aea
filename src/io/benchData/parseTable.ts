import type { CsvError } from "csv-parse/sync";
import { DataFileError } from "../../core/errors/simulationError.js";
import type { KvDtype, WeightDtype } from "../../core/units/dtype.js";
import { readDataText } from "../dataFile/dataFile.js";
import { requirePackage } from "../requirePackage.js";
import type { Column, FamilyColumns } from "./tableFamily.js";

/** Something wrong with a table, where it is. */
export interface TableIssue {
  /** Line of the file, from 1. */
  readonly row: number;
  readonly column: string | null;
  readonly problem: string;
}

/** One row whose required cells are all sound. */
export interface ParsedRow {
  readonly row: number;
  /** Numbers of the columns that hold any; absent where an optional cell is empty. */
  readonly numbers: Readonly<Record<string, number>>;
  /** The other columns. */
  readonly texts: Readonly<Record<string, string>>;
  /** Cells as written, for what rounding tells. */
  readonly cells: Readonly<Record<string, string>>;
}

export interface ParsedTable {
  readonly columnNames: readonly string[];
  readonly hasHeader: boolean;
  readonly rows: readonly ParsedRow[];
  /** Problems of the file, by row; a row with a problem is not in `rows`. */
  readonly issues: readonly TableIssue[];
}

interface RawRecord {
  readonly record: string[];
  readonly info: { readonly lines: number };
}

/** Names of element types that tables use. */
const DTYPE_NAMES: Readonly<Record<string, WeightDtype>> = {
  bf16: "bf16",
  bfloat16: "bf16",
  fp16: "fp16",
  float16: "fp16",
  half: "fp16",
  fp8: "fp8",
  fp8_e4m3: "fp8",
  float8_e4m3fn: "fp8",
  int4: "int4",
  int4_wo: "int4",
};

/** The element type a table calls so; undefined if roofserve does not know it. */
export function dtypeOfName(name: string): WeightDtype | undefined {
  return DTYPE_NAMES[name.toLowerCase()];
}

/** The KV element type a table calls so; undefined if there is none. */
export function kvDtypeOfName(name: string): KvDtype | undefined {
  const dtype = dtypeOfName(name);
  return dtype === "int4" ? undefined : dtype;
}

/**
 * Reads a table and reports every problem instead of stopping at the first.
 * A file without header line gets the layout's first columns.
 *
 * @throws DataFileError when the file cannot be read as CSV at all, is empty, or lacks required columns
 */
export function parseTable(file: string, family: FamilyColumns): ParsedTable {
  const records = readRecords(file);
  const [first] = records;
  if (first === undefined) throw new DataFileError({ file }, "the table is empty; it needs a header line and rows");
  const hasHeader = first.record.some((cell) => family.columns.some(({ name }) => name === headerName(cell)));
  const columnNames = hasHeader ? first.record.map(headerName) : impliedNames(first.record, family, file);
  requireColumns(columnNames, family, file);
  const byName = new Map(family.columns.map((column) => [column.name, column]));
  const issues: TableIssue[] = [];
  const rows: ParsedRow[] = [];
  for (const { record, info } of hasHeader ? records.slice(1) : records) {
    const found = parseRow(record, info.lines, columnNames, byName);
    if (Array.isArray(found)) issues.push(...found);
    else rows.push(found);
  }
  return { columnNames, hasHeader, rows, issues };
}

function readRecords(file: string): RawRecord[] {
  const text = readDataText(file, "a kernel table is a CSV file with a header line");
  const { parse } = requirePackage("csv-parse/sync") as typeof import("csv-parse/sync");
  try {
    const options = { info: true, relax_column_count: true, skip_empty_lines: true, trim: true } as const;
    return parse(text, options) as unknown as RawRecord[];
  } catch (error) {
    const { message, lines } = error as CsvError & { lines?: number };
    throw new DataFileError(lines === undefined ? { file } : { file, row: lines }, `is not valid CSV: ${message}`);
  }
}

function headerName(cell: string): string {
  return cell.trim().toLowerCase();
}

/** Columns of a file that starts with data right away: the layout's, as far as there are cells. */
function impliedNames(cells: readonly string[], family: FamilyColumns, file: string): string[] {
  const looksLikeData = cells.every((cell) => cell === "" || Number.isFinite(Number(cell)) || dtypeOfName(cell));
  if (!looksLikeData) {
    const expected = family.columns.filter(({ isRequired }) => isRequired).map(({ name }) => name);
    throw new DataFileError({ file, row: 1 }, `unknown header ${cells.join(",")}; expected ${expected.join(",")}`);
  }
  return family.columns.slice(0, cells.length).map(({ name }) => name);
}

function requireColumns(names: readonly string[], family: FamilyColumns, file: string): void {
  const duplicate = names.find((name, i) => name !== "" && names.indexOf(name) !== i);
  if (duplicate !== undefined) throw new DataFileError({ file, row: 1, column: duplicate }, "the column occurs twice");
  const missing = family.columns.find(({ name, isRequired }) => isRequired && !names.includes(name));
  if (missing !== undefined) {
    throw new DataFileError({ file, row: 1, column: missing.name }, `the column is missing; found ${names.join(",")}`);
  }
  if (!family.latencies.some((columns) => columns.every((column) => names.includes(column)))) {
    const wanted = family.latencies.map((columns) => columns.join(" and ")).join(", or ");
    throw new DataFileError({ file, row: 1 }, `no latency column; needs ${wanted}`);
  }
}

function parseRow(
  record: readonly string[],
  row: number,
  names: readonly string[],
  byName: ReadonlyMap<string, Column>,
): ParsedRow | TableIssue[] {
  const issues: TableIssue[] = [];
  const numbers: Record<string, number> = {};
  const texts: Record<string, string> = {};
  const cells: Record<string, string> = {};
  if (record.length > names.length) {
    issues.push({ row, column: null, problem: `${record.length} cells, but the header has ${names.length} columns` });
  }
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i]!;
    const column = byName.get(name);
    const cell = record[i] ?? "";
    cells[name] = cell;
    if (column === undefined || (cell === "" && !column.isRequired)) continue;
    const problem = cellProblem(cell, column);
    if (problem !== null) issues.push({ row, column: name, problem });
    else if (column.kind === "dtype" || column.kind === "text") texts[name] = cell;
    else numbers[name] = Number(cell);
  }
  // A number that was cut off with the end of a file still reads as one.
  if (issues.length === 0 && record.length < names.length) {
    const problem = `${record.length} cells, but the header has ${names.length} columns; is the file truncated?`;
    issues.push({ row, column: null, problem });
  }
  return issues.length > 0 ? issues : { row, numbers, texts, cells };
}

/** What is wrong with a cell, in words; null if nothing. */
function cellProblem(cell: string, { kind }: Column): string | null {
  if (cell === "") return "the cell is empty; fill it or remove the row";
  if (kind === "text") return null;
  if (kind === "dtype") {
    return dtypeOfName(cell) ? null : `got ${cell}; must be one of ${Object.keys(DTYPE_NAMES).join(", ")}`;
  }
  const value = Number(cell);
  if (!Number.isFinite(value)) return `got ${cell}; must be a finite number`;
  const allowsZero = kind === "fraction" || kind === "offset";
  if (value < 0 || (value === 0 && !allowsZero)) return `got ${cell}; must be ${allowsZero ? "≥ 0" : "> 0"}`;
  const isWhole = kind === "count" || kind === "offset";
  if (isWhole && !Number.isSafeInteger(value)) return `got ${cell}; must be a whole number`;
  return null;
}
