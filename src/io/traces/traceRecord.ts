import { printValue } from "../../core/config/parseConfig.js";
import { DataFileError } from "../../core/errors/simulationError.js";
import { MAX_TOKENS } from "../../core/workload/lengthConfig.js";

/** Latest arrival a trace may have, s: beyond it µs would be near the end of exact integers. */
export const MAX_TIME_S = 4e9;

/** One row of a trace file, with its place: every value is checked, every complaint says where. */
export class TraceRecord {
  readonly file: string;
  /** From 1, as an editor shows it. */
  readonly row: number;
  readonly #fields: Readonly<Record<string, unknown>>;

  /** @param fields CSV cells (text) or JSON values, by column */
  constructor(file: string, row: number, fields: Readonly<Record<string, unknown>>) {
    this.file = file;
    this.row = row;
    this.#fields = fields;
  }

  columns(): string[] {
    return Object.keys(this.#fields);
  }

  /** Whether the column is there and not empty. */
  has(column: string): boolean {
    const value = this.#fields[column];
    return value !== undefined && value !== null && value !== "";
  }

  raw(column: string): unknown {
    return this.#fields[column];
  }

  /** A number of tokens; 0 is a shape some traces give to failed requests, so the caller says whether it may be. */
  tokens(column: string, least: 0 | 1): number {
    return this.integer(column, least, MAX_TOKENS, "tokens");
  }

  integer(column: string, min: number, max: number, unit: string): number {
    const value = this.#parse(column);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw this.error(column, `must be an integer from ${min} to ${max} (${unit})`);
  }

  number(column: string, min: number, max: number, unit: string): number {
    const value = this.#parse(column);
    if (value >= min && value <= max) return value;
    throw this.error(column, `must be a number from ${min} to ${max} (${unit})`);
  }

  /** A name; numbers are taken as their digits. */
  text(column: string): string {
    const value = this.#fields[column];
    if (typeof value === "string" && value !== "") return ownCopy(value);
    if (typeof value === "number" && Number.isFinite(value)) return String(value);
    throw this.error(column, "must be a text that is not empty");
  }

  /** The complaint about a column's value. */
  error(column: string, expected: string): DataFileError {
    const value = this.#fields[column];
    const received = value === "" ? "an empty cell" : printValue(value);
    return new DataFileError({ file: this.file, row: this.row, column }, `got ${received}; ${expected}`);
  }

  /** NaN where the value is no number: no range holds it. */
  #parse(column: string): number {
    const value = this.#fields[column];
    if (typeof value === "number") return value;
    return typeof value === "string" && /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value)
      ? Number(value)
      : Number.NaN;
  }
}

/** Shorter strings are copied by V8 when they are cut out of longer ones. */
const LEAST_SHARED_CHARACTERS = 13;

/**
 * A text of one's own. A cell cut out of a file's text keeps all of that text in memory for as long as it lives, and a name
 * may live as long as the run.
 */
function ownCopy(text: string): string {
  if (text.length < LEAST_SHARED_CHARACTERS) return text;
  const copy = Buffer.from(text, "utf8").toString("utf8");
  // A lone surrogate has no UTF-8.
  return copy === text ? copy : text;
}
