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
}

/** Two measurements of one shape that lie further apart, as a share of their mean, say nothing to this accuracy. */
export const REPEATABILITY_FRACTION = 0.05;
/** A row this much slower than a larger shape of the same kernel is a disturbance, not noise. */
const CONTRADICTION_FACTOR = 1.25;

/** Rows of a measured table that an import leaves out, by line; each once, for the first reason that applies. */
export function unusableRows(file: TableFile, rows: readonly ParsedRow[], gpu: GpuSpec): UnusableRow[] {
  const columns = FAMILY_COLUMNS[file.family];
  const reasons = new Map<number, UnusableReason>();
  const add = (reason: UnusableReason, found: readonly number[]) => {
    for (const row of found) if (!reasons.has(row)) reasons.set(row, reason);
  };
  add(
    "faster than physics",
    impossibleRows(file, rows, gpu).map(({ row }) => row),
  );
  add("not repeatable", unrepeatableRows(rows, columns));
  add(
    "contradicts others",
    contradictingRows(
      rows.filter(({ row }) => !reasons.has(row)),
      columns,
    ),
  );
  return [...reasons].map(([row, reason]) => ({ row, reason })).sort((a, b) => a.row - b.row);
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
function contradictingRows(rows: readonly ParsedRow[], columns: FamilyColumns): number[] {
  return sweptLines(rows, columns).flatMap((line) => {
    const left: number[] = [];
    let kept = line.map((row) => ({ row: row.row, us: latencyUs(row, columns) }));
    for (;;) {
      const conflicts = kept.map(({ us }, i) => {
        return kept.filter((other, j) => (j > i ? us / other.us : other.us / us) > CONTRADICTION_FACTOR && j !== i)
          .length;
      });
      const most = Math.max(0, ...conflicts);
      if (most === 0) return left;
      const worst = kept.filter((_, i) => conflicts[i] === most).reduce((a, b) => (b.us > a.us ? b : a));
      left.push(worst.row);
      kept = kept.filter((row) => row !== worst);
    }
  });
}
