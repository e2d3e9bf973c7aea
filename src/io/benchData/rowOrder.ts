import type { ParsedRow } from "./parseTable.js";
import type { FamilyColumns } from "./tableFamily.js";

/** Rows with the same shape. */
export interface DuplicateRows {
  readonly rows: readonly number[];
  /** Slowest / fastest. */
  readonly spread: number;
}

/** A row that is faster than a smaller shape before it. */
export interface FallingRow {
  readonly row: number;
  readonly smallerRow: number;
  /** Latency of the smaller shape / latency of this one, > 1. */
  readonly factor: number;
}

/** Noise between two runs of one kernel. */
const RISE_TOLERANCE = 1.05;

/** µs of a row: the sum of the first set of latency columns it has; NaN if it has none. */
export function latencyUs({ numbers }: ParsedRow, { latencies }: FamilyColumns): number {
  const columns = latencies.find((names) => names.every((name) => numbers[name] !== undefined));
  return columns === undefined ? Number.NaN : columns.reduce((sum, name) => sum + numbers[name]!, 0);
}

/** Shapes that occur more than once, in file order. */
export function duplicateRows(rows: readonly ParsedRow[], family: FamilyColumns): DuplicateRows[] {
  return [...groupBy(rows, family.keys).values()].flatMap((group) => {
    if (group.length < 2) return [];
    const latencies = group.map((row) => latencyUs(row, family));
    return [{ rows: group.map(({ row }) => row), spread: Math.max(...latencies) / Math.min(...latencies) }];
  });
}

/** Rows whose latency falls below a smaller shape's by more than noise, within the same kernel. */
export function fallingRows(rows: readonly ParsedRow[], family: FamilyColumns): FallingRow[] {
  const { sweep } = family;
  const falling: FallingRow[] = [];
  for (const ascending of sweptLines(rows, family)) {
    for (let i = 1; i < ascending.length; i += 1) {
      const smaller = ascending[i - 1]!;
      const row = ascending[i]!;
      const factor = latencyUs(smaller, family) / latencyUs(row, family);
      if (row.numbers[sweep] !== smaller.numbers[sweep] && factor > RISE_TOLERANCE) {
        falling.push({ row: row.row, smallerRow: smaller.row, factor });
      }
    }
  }
  return falling;
}

/** Rows of one kernel that differ in the swept dimension alone, ascending in it; in order of first appearance. */
export function sweptLines(rows: readonly ParsedRow[], { keys, sweep }: FamilyColumns): ParsedRow[][] {
  const lines = groupBy(
    rows,
    keys.filter((key) => key !== sweep),
  );
  return [...lines.values()].map((line) => line.sort((a, b) => a.numbers[sweep]! - b.numbers[sweep]! || a.row - b.row));
}

function groupBy(rows: readonly ParsedRow[], keys: readonly string[]): Map<string, ParsedRow[]> {
  const groups = new Map<string, ParsedRow[]>();
  for (const row of rows) {
    const key = keys.map((name) => row.numbers[name] ?? row.texts[name] ?? "").join(" ");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}
