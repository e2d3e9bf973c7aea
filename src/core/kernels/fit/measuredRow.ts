/** One measured shape, ready for fitting. */
export interface MeasuredRow {
  /** Shape numbers; their meaning is the family's. */
  readonly dims: readonly number[];
  /** µs. */
  readonly us: number;
  /** Rows of one key are held out together. */
  readonly shapeKey: string;
}

/**
 * Keeps one row per shape (the fastest) and clips upward spikes: along `axis` a larger shape bounds a smaller one,
 * since a kernel could always pad.
 */
export function cleanRows(rows: readonly MeasuredRow[], axes: readonly number[]): MeasuredRow[] {
  const fastest = new Map<string, MeasuredRow>();
  for (const row of rows) {
    const key = row.dims.join(",");
    const known = fastest.get(key);
    if (known === undefined || row.us < known.us) fastest.set(key, row);
  }
  let cleaned = [...fastest.values()];
  for (const axis of axes) cleaned = clipSpikes(cleaned, axis);
  return cleaned;
}

function clipSpikes(rows: readonly MeasuredRow[], axis: number): MeasuredRow[] {
  const lines = new Map<string, MeasuredRow[]>();
  for (const row of rows) {
    const key = row.dims.map((value, i) => (i === axis ? "*" : value)).join(",");
    const line = lines.get(key);
    if (line === undefined) lines.set(key, [row]);
    else line.push(row);
  }
  return [...lines.values()].flatMap((line) => {
    const descending = line.toSorted((a, b) => b.dims[axis]! - a.dims[axis]!);
    let bound = Number.POSITIVE_INFINITY;
    return descending.map((row) => {
      bound = Math.min(bound, row.us);
      return bound === row.us ? row : { ...row, us: bound };
    });
  });
}

/** A stable coin: about half of the keys land in either half, the same ones on every run. */
export function isHeldOut(shapeKey: string): boolean {
  let hash = 2166136261;
  for (let i = 0; i < shapeKey.length; i += 1) hash = Math.imul(hash ^ shapeKey.charCodeAt(i), 16777619);
  return ((hash ^ (hash >>> 13)) & 1) === 1;
}

/** Mean |predicted / measured − 1| in percent; 0 for no rows. */
export function mapePercent(rows: readonly MeasuredRow[], predictUs: (row: MeasuredRow) => number): number {
  if (rows.length === 0) return 0;
  let sum = 0;
  for (const row of rows) sum += Math.abs(predictUs(row) / row.us - 1);
  return (100 * sum) / rows.length;
}
