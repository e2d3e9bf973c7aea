import type { GpuSpec } from "../../core/hardware/gpuSpec.js";
import type { ParsedRow } from "./parseTable.js";
import { impossibleRows } from "./rowFloor.js";
import { duplicateRows, latencyUs, sweptLines } from "./rowOrder.js";
import { FAMILY_COLUMNS, type FamilyColumns } from "./tableFamily.js";
import type { TableFile } from "./tableFiles.js";

/** Why a measured row cannot be believed. */
export type UnusableReason = "faster than physics" | "not repeatable" | "contradicts others";

export interface UnusableRow {
  /** Line of the file, from 1. */
  readonly row: number;
  readonly reason: UnusableReason;
  /** Line of the row that it contradicts most; null for the other reasons. */
  readonly contradictedRow: number | null;
}

/** Two measurements of one shape that lie further apart, as a share of their mean, say nothing to this accuracy. */
export const REPEATABILITY_FRACTION = 0.05;
/** A row this much slower than a larger shape of the same kernel is a disturbance, not noise. */
const CONTRADICTION_FACTOR = 1.25;

/** Rows of a measured table that an import leaves out, by line; each once, for the first reason that applies. */
export function unusableRows(file: TableFile, rows: readonly ParsedRow[], gpu: GpuSpec): UnusableRow[] {
  const columns = FAMILY_COLUMNS[file.family];
  const found = new Map<number, UnusableRow>();
  const add = (unusable: UnusableRow) => {
    if (!found.has(unusable.row)) found.set(unusable.row, unusable);
  };
  for (const { row } of impossibleRows(file, rows, gpu)) {
    add({ row, reason: "faster than physics", contradictedRow: null });
  }
  for (const row of unrepeatableRows(rows, columns)) add({ row, reason: "not repeatable", contradictedRow: null });
  const believed = rows.filter(({ row }) => !found.has(row));
  for (const { row, contradictedRow } of contradictingRows(believed, columns)) {
    add({ row, reason: "contradicts others", contradictedRow });
  }
  return [...found.values()].sort((a, b) => a.row - b.row);
}

/** Rows whose own two looks differ too much, and rows of one shape that differ as much. */
export function unrepeatableRows(rows: readonly ParsedRow[], columns: FamilyColumns): number[] {
  const own = rows.filter(({ numbers }) => (numbers.repeatability_fraction ?? 0) > REPEATABILITY_FRACTION);
  const repeated = duplicateRows(rows, columns).filter(({ spread }) => spread > 1 + REPEATABILITY_FRACTION);
  return [...own.map(({ row }) => row), ...repeated.flatMap((group) => group.rows)];
}

/**
 * The rows that must go so that no row is much slower than a larger shape of its kernel: again and again the one that
 * disagrees with most others; of two that disagree with each other alone the slower, for a kernel can always pad.
 */
function contradictingRows(
  rows: readonly ParsedRow[],
  columns: FamilyColumns,
): { readonly row: number; readonly contradictedRow: number }[] {
  return sweptLines(rows, columns).flatMap((line) => {
    const left: { row: number; contradictedRow: number }[] = [];
    let kept: readonly TimedRow[] = line.map((row) => ({ row: row.row, us: latencyUs(row, columns) }));
    for (;;) {
      const conflicts = kept.map((_, i) => contradictedBy(kept, i));
      const most = Math.max(0, ...conflicts.map((others) => others.length));
      if (most === 0) return left;
      const worst = kept.filter((_, i) => conflicts[i]!.length === most).reduce((a, b) => (b.us > a.us ? b : a));
      const [first, ...others] = conflicts[kept.indexOf(worst)]! as [Contradiction, ...Contradiction[]];
      const { row: contradictedRow } = others.reduce((a, b) => (b.factor > a.factor ? b : a), first);
      left.push({ row: worst.row, contradictedRow });
      kept = kept.filter((row) => row !== worst);
    }
  });
}

interface TimedRow {
  readonly row: number;
  readonly us: number;
}

interface Contradiction {
  readonly row: number;
  /** Latency of the smaller shape / latency of the larger one. */
  readonly factor: number;
}

/** Rows of an ascending line that cannot be true together with its `i`-th. */
function contradictedBy(line: readonly TimedRow[], i: number): Contradiction[] {
  const { us } = line[i]!;
  return line
    .map((other, j) => ({ row: other.row, factor: j > i ? us / other.us : other.us / us }))
    .filter(({ factor }, j) => factor > CONTRADICTION_FACTOR && j !== i);
}
