import type { PriceSource } from "../kernelModel.js";
import type { TableRow } from "./kernelTable.js";

/** A price read from rows. */
export interface TableReading {
  readonly us: number;
  /** µs that the kernel's fastest row takes beyond its floor: what remains at vanishing work. */
  readonly launchUs: number;
  /** Whether the shape lies beyond every row. */
  readonly isExtrapolated: boolean;
  readonly source: PriceSource;
}

/** What happened to the rows that were needed so far; tables are indexed on first use. */
export interface RowCounts {
  /** Rows that prices are interpolated between. */
  usedRows: number;
  /** Rows faster than physics allows, left out. */
  impossibleRows: number;
  /** Rows that ran from the L2 cache, left out. */
  cacheResidentRows: number;
  /** Rows that contradicted another (a smaller shape slower, or a larger one faster) and were evened out. */
  smoothedRows: number;
}

/** Measured rows where there are any: a modelled row beside them has nothing to add. */
export function preferMeasured<Row extends TableRow>(rows: readonly Row[]): readonly Row[] {
  const measured = rows.filter(({ source }) => source === "measured");
  return measured.length > 0 ? measured : rows;
}

/** Groups rows by a key, in order of first appearance. */
export function groupRows<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}
