/** One cell: text is aligned left, numbers (already printed) right. */
export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
}

/** Lays rows out in columns two spaces apart, for people to read; no trailing spaces, ends with a newline. */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((column, i) => Math.max(width(column.title), ...rows.map((row) => width(row[i] ?? ""))));
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, i) => pad(cells[i] ?? "", widths[i] ?? 0, column.align))
      .join("  ")
      .trimEnd();
  return `${[columns.map((column) => column.title), ...rows].map(line).join("\n")}\n`;
}

/** A left-aligned column followed by right-aligned ones: the usual shape of a table of numbers. */
export function numberColumns(first: string, ...others: readonly string[]): Column[] {
  return [{ title: first, align: "left" }, ...others.map((title): Column => ({ title, align: "right" }))];
}

/** Columns from titles; those that hold numbers end in `#`. */
export function columnsOf(...titles: readonly string[]): Column[] {
  return titles.map((title) =>
    title.endsWith("#") ? { title: title.slice(0, -1), align: "right" } : { title, align: "left" },
  );
}

/** A number as people read it: `decimals` places, a dash where there is none. */
export function printNumber(value: number | null | undefined, decimals = 1): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const text = value.toFixed(decimals);
  // What rounds to 0 has no sign.
  return Number(text) === 0 ? text.replace("-", "") : text;
}

/** A latency as people say it: whole milliseconds below a second, seconds above. */
export function printMs(ms: number): string {
  return ms >= 1000 ? `${printNumber(ms / 1000)} s` : `${printNumber(ms, 0)} ms`;
}

function pad(text: string, columns: number, align: Column["align"]): string {
  const gap = " ".repeat(Math.max(0, columns - width(text)));
  return align === "left" ? text + gap : gap + text;
}

/** Terminal columns of a text without wide characters. */
function width(text: string): number {
  return [...text].length;
}
