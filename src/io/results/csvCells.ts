import { cleanNumber } from "./cleanJson.js";

/** What a spreadsheet takes for a formula, or for one that is guarded already. */
const FORMULA = /^'*[=+\-@\t\r]/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * A value as it stands in a CSV file; text is quoted where it must be. Names come from files of other people: text that a
 * spreadsheet would run as a formula has an apostrophe before it, as OWASP advises and csv-stringify's `escape_formulas` does,
 * and `csvText` takes it away. Numbers are numbers, negative ones too, also where they are names.
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
export function csvCell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const text = FORMULA.test(value) && !NUMBER.test(value) ? `'${value}` : value;
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The text that `csvCell` made a cell of, its quotes read. */
export function csvText(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell;
}

/** A line of a CSV file, its numbers as our JSON has them. */
export function csvLine(cells: readonly (string | number | boolean | null)[]): string {
  const plain = (cell: string | number | boolean | null) =>
    typeof cell === "number" ? cleanNumber(cell) : typeof cell === "boolean" ? String(cell) : cell;
  return `${cells.map((cell) => csvCell(plain(cell))).join(",")}\n`;
}

/** A value of a config as it stands in one cell: objects and lists as JSON. */
export function configCell(value: unknown): string | number | null {
  if (value === null || value === undefined || typeof value === "number") return value ?? null;
  return typeof value === "string" ? value : JSON.stringify(value);
}
