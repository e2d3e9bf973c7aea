import type { GridShape } from "./gridSweep.js";

/**
 * ln of how many times larger or smaller a shape is to which half of what rows say of the model is carried. Chosen on
 * NVIDIA's H200 tables cut down in nine ways, with the efficiencies of five GPUs behind them (`eval/kernels/beyondTables.ts`):
 * half and one and a half times of it were about as good, none at all and everything worse.
 */
const HALF_CARRIED_LN = Math.log(4);

/** A grid with holes: NaN where no row was measured. Axis 0 is the one that tables sweep (m, tokens, context). */
export interface SparseGrid {
  readonly shape: GridShape;
  /** ln of the knots, per axis, ascending. */
  readonly lnKnots: readonly Float64Array[];
  /** µs. */
  readonly us: Float64Array;
  /** Physical floor in µs, every cell. */
  readonly floorUs: Float64Array;
  /** What a model without these rows would say, µs, every cell. */
  readonly modelUs: Float64Array;
}

/**
 * Fills the holes of each column (one shape, swept along axis 0) that has at least one row: straight in
 * log-log between two rows, beyond them by the model as it fits the nearest row.
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
      const lnRatio = Math.log(us[edge]! / grid.modelUs[edge]!);
      us[cell] = timesModel(grid, cell, lnRatio, Math.abs(ln[i]! - ln[(before ?? after)!]!));
    } else {
      const share = (ln[i]! - ln[before]!) / (ln[after]! - ln[before]!);
      const lower = Math.log(us[column + before * stride]!);
      us[cell] = Math.exp(lower + share * (Math.log(us[column + after * stride]!) - lower));
    }
  }
}

/**
 * Fills the columns without rows: at each knot of axis 0 by the model as it fits the other columns there, in the geometric
 * mean weighted by the inverse fourth power of the log distance between the shapes, so that the near ones decide.
 */
export function fillMissingColumns(grid: SparseGrid, knownColumns: readonly number[]): void {
  const columnStride = grid.shape.strides[0]!;
  const isKnown = new Set(knownColumns);
  for (let column = 0; column < columnStride; column += 1) {
    if (isKnown.has(column)) continue;
    const distances = knownColumns.map((known) => lnDistance(grid, column, known));
    const nearest = distances.reduce((least, distance) => Math.min(least, distance));
    const weights = distances.map((distance) => distance ** -4);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    for (let i = 0; i < grid.shape.lengths[0]!; i += 1) {
      const offset = i * columnStride;
      let lnRatio = 0;
      for (let j = 0; j < knownColumns.length; j += 1) {
        const cell = knownColumns[j]! + offset;
        lnRatio += (weights[j]! / sum) * Math.log(grid.us[cell]! / grid.modelUs[cell]!);
      }
      grid.us[column + offset] = timesModel(grid, column + offset, lnRatio, nearest);
    }
  }
}

/**
 * What the model says of a cell, scaled as rows nearby are of it, less so the farther away they are; not faster than
 * physics.
 * @param lnRatio ln of rows over model @param distance to these rows, in ln
 */
function timesModel({ floorUs, modelUs }: SparseGrid, cell: number, lnRatio: number, distance: number): number {
  const carried = 1 / (1 + (distance / HALF_CARRIED_LN) ** 2);
  return Math.max(modelUs[cell]! * Math.exp(carried * lnRatio), floorUs[cell]!);
}

/** Between the shapes of two columns. */
function lnDistance({ shape, lnKnots }: SparseGrid, columnA: number, columnB: number): number {
  let sum = 0;
  for (let axis = 1; axis < shape.lengths.length; axis += 1) {
    const stride = shape.strides[axis]!;
    const length = shape.lengths[axis]!;
    const ln = lnKnots[axis]!;
    const a = ln[Math.floor(columnA / stride) % length]!;
    const b = ln[Math.floor(columnB / stride) % length]!;
    sum += (a - b) ** 2;
  }
  return Math.sqrt(sum);
}
