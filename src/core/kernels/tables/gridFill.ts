import type { GridShape } from "./gridSweep.js";

/** A grid with holes: NaN where no row was measured. Axis 0 is the one that tables sweep (m, tokens, context). */
export interface SparseGrid {
  readonly shape: GridShape;
  /** ln of the knots, per axis, ascending. */
  readonly lnKnots: readonly Float64Array[];
  /** µs. */
  readonly us: Float64Array;
  /** Physical floor in µs, every cell. */
  readonly floorUs: Float64Array;
  /** Least µs a filled cell outside the rows may have: the fixed cost. */
  readonly launchUs: number;
}

/**
 * Fills the holes of each column (one shape, swept along axis 0) that has at least one row: straight in
 * log-log between two rows, with the efficiency of the nearest row beyond them.
 * @returns columns that had a row
 */
export function fillColumns(grid: SparseGrid): number[] {
  const { shape, us } = grid;
  const columnStride = shape.strides[0]!;
  const filled: number[] = [];
  for (let column = 0; column < columnStride; column += 1) {
    const known: number[] = [];
    for (let i = 0; i < shape.lengths[0]!; i += 1) if (!Number.isNaN(us[column + i * columnStride]!)) known.push(i);
    if (known.length === 0) continue;
    filled.push(column);
    fillColumn(grid, column, known);
  }
  return filled;
}

function fillColumn(grid: SparseGrid, column: number, known: readonly number[]): void {
  const { shape, us, lnKnots } = grid;
  const stride = shape.strides[0]!;
  const ln = lnKnots[0]!;
  let next = 0;
  for (let i = 0; i < shape.lengths[0]!; i += 1) {
    if (known[next] === i) {
      next += 1;
      continue;
    }
    const before = known[next - 1];
    const after = known[next];
    const cell = column + i * stride;
    if (before === undefined || after === undefined) {
      const edge = column + (before ?? after)! * stride;
      us[cell] = withEfficiency(grid, cell, grid.floorUs[edge]! / us[edge]!);
    } else {
      const share = (ln[i]! - ln[before]!) / (ln[after]! - ln[before]!);
      const lower = Math.log(us[column + before * stride]!);
      us[cell] = Math.exp(lower + share * (Math.log(us[column + after * stride]!) - lower));
    }
  }
}

/**
 * Fills the columns without rows: at each knot of axis 0 the geometric mean of the other columns' efficiencies,
 * weighted by the inverse fourth power of the log distance between the shapes, so that the near ones decide.
 */
export function fillMissingColumns(grid: SparseGrid, knownColumns: readonly number[]): void {
  const columnStride = grid.shape.strides[0]!;
  const isKnown = new Set(knownColumns);
  for (let column = 0; column < columnStride; column += 1) {
    if (isKnown.has(column)) continue;
    const weights = knownColumns.map((known) => distanceSquared(grid, column, known) ** -2);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    for (let i = 0; i < grid.shape.lengths[0]!; i += 1) {
      const offset = i * columnStride;
      let lnEfficiency = 0;
      for (let j = 0; j < knownColumns.length; j += 1) {
        const cell = knownColumns[j]! + offset;
        lnEfficiency += (weights[j]! / sum) * Math.log(grid.floorUs[cell]! / grid.us[cell]!);
      }
      grid.us[column + offset] = withEfficiency(grid, column + offset, Math.exp(lnEfficiency));
    }
  }
}

/** µs of a cell at an efficiency, not below the fixed cost: tiny shapes do not run in no time. */
function withEfficiency({ floorUs, launchUs }: SparseGrid, cell: number, efficiency: number): number {
  return Math.max(floorUs[cell]! / Math.min(1, efficiency), launchUs);
}

function distanceSquared({ shape, lnKnots }: SparseGrid, columnA: number, columnB: number): number {
  let sum = 0;
  for (let axis = 1; axis < shape.lengths.length; axis += 1) {
    const stride = shape.strides[axis]!;
    const length = shape.lengths[axis]!;
    const ln = lnKnots[axis]!;
    const a = ln[Math.floor(columnA / stride) % length]!;
    const b = ln[Math.floor(columnB / stride) % length]!;
    sum += (a - b) ** 2;
  }
  return sum;
}
