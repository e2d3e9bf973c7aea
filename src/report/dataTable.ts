import { element } from "./element.js";

/** A table's text: the first column names the row. */
export interface TableData {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Of the columns those of words, which begin on the left and may take several lines. */
  readonly wordColumns?: readonly string[];
}

/** A table that scrolls by itself where the screen is narrow; the keyboard reaches it. @param label says what it holds */
export function dataTable({ columns, rows, wordColumns = [] }: TableData, label: string): HTMLElement {
  const style = columns.map(
    (title): Readonly<Record<string, string>> => (wordColumns.includes(title) ? { class: "words" } : {}),
  );
  const head = element("tr", {}, ...columns.map((title, i) => element("th", { scope: "col", ...style[i] }, title)));
  const body = rows.map(([name = "", ...cells]) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      ...cells.map((cell, i) => element("td", style[i + 1] ?? {}, cell)),
    ),
  );
  const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
  return scrollRegion(table, label);
}

/** Scrolls sideways on its own, so that the page need not. */
export function scrollRegion(content: HTMLElement, label: string): HTMLElement {
  return element("div", { class: "scroll", role: "region", "aria-label": label, tabindex: "0" }, content);
}

/** A table behind a line to open it. */
export function foldedTable(table: TableData, label: string): HTMLElement {
  return element("details", { class: "data" }, element("summary", {}, "Numbers as a table"), dataTable(table, label));
}
