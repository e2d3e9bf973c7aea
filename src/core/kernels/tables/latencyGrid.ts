import { InvariantError } from "../../errors/simulationError.js";
import { median } from "../fit/median.js";
import { lnDistanceBeyond } from "../kernelLookup.js";
import { fillColumns, fillMissingColumns } from "./gridFill.js";
import { type GridShape, gridShape, sweepMaxFromBelow, sweepMinFromAbove } from "./gridSweep.js";
import { monotoneRows } from "./monotoneRows.js";

/** One row of a table as a point of the grid; coordinates > 0. */
export interface GridPoint {
  readonly at: readonly number[];
  readonly us: number;
}

/** Where the rows of one axis may be continued to. */
export interface GridAxis {
  readonly min: number;
  readonly max: number;
}

/** A price read off the grid. */
export interface GridReading {
  readonly us: number;
  /** Whether some coordinate lies beyond every row. */
  readonly isExtrapolated: boolean;
}

/**
 * Measured latencies over one to three shape numbers, as a surface without holes: multilinear in log-log between
 * the knots, i.e. the neighbours' efficiencies and roofs averaged geometrically; never the nearest row.
 *
 * - exact on every row that contradicts no other (`monotoneRows`); duplicates are merged to their median first
 * - never falls when a coordinate grows
 * - never below the physical floor wherever the floor is convex in log-log (any sum or maximum of products of powers
 *   is), because a chord of a convex function lies above it
 * - in shapes without rows, and beyond the rows, a model that knows shapes, scaled as it fits the rows nearby (`gridFill`)
 */
export class LatencyGrid {
  /** Fixed cost: what the fastest row takes beyond its floor, µs. */
  readonly launchUs: number;
  readonly numRows: number;
  readonly numSmoothedRows: number;
  /** Best efficiency of any row, (0, 1]. */
  readonly bestEfficiency: number;
  readonly #shape: GridShape;
  readonly #knots: readonly Float64Array[];
  readonly #lnKnots: readonly Float64Array[];
  readonly #us: Float64Array;
  readonly #rowBounds: readonly GridAxis[];

  /**
   * @param points at least one, none below `floorUs`; axis 0 is the one the table sweeps most densely
   * @param modelUs price of a shape where there is no row; without a model of anything, the floor
   */
  constructor(
    points: readonly GridPoint[],
    axes: readonly GridAxis[],
    floorUs: (at: readonly number[]) => number,
    modelUs = floorUs,
  ) {
    const merged = mergeDuplicates(points);
    if (merged.length === 0) throw new InvariantError("LatencyGrid: no rows");
    this.numRows = points.length;
    this.launchUs = fixedUs(merged, floorUs);
    this.#rowBounds = axes.map((_, axis) => bounds(merged, axis));
    this.#knots = axes.map((range, axis) => knotsOf(merged, axis, range));
    this.#lnKnots = this.#knots.map((knots) => knots.map(Math.log));
    this.#shape = gridShape(this.#knots.map(({ length }) => length));
    const floors = this.#atCells(floorUs);
    const us = new Float64Array(this.#shape.numCells).fill(Number.NaN);
    for (const point of merged) us[this.#cellOf(point.at)] = point.us;
    this.bestEfficiency = merged.reduce((best, { at, us }) => Math.max(best, floors[this.#cellOf(at)]! / us), 0);
    this.#us = this.#complete(us, floors, modelUs === floorUs ? floors : this.#atCells(modelUs));
    this.numSmoothedRows = merged.filter(({ at, us }) => this.#us[this.#cellOf(at)]! !== us).length;
  }

  /** @param at one coordinate > 0 per axis */
  read(at: readonly number[]): GridReading {
    const numAxes = this.#knots.length;
    let cell = 0;
    let overshoot = 1;
    let isExtrapolated = false;
    const shares: number[] = [];
    for (let axis = 0; axis < numAxes; axis += 1) {
      const value = at[axis]!;
      const knots = this.#knots[axis]!;
      const { min, max } = this.#rowBounds[axis]!;
      if (value < min || value > max) isExtrapolated = true;
      const last = knots.length - 1;
      // Work grows at most in proportion beyond the last knot, so this stays monotone and above the floor.
      if (value > knots[last]!) overshoot *= value / knots[last]!;
      const index = knotBelow(knots, value);
      shares.push(index === last ? 0 : this.#share(axis, index, value));
      cell += index * this.#shape.strides[axis]!;
    }
    return { us: this.#interpolate(cell, shares) * overshoot, isExtrapolated };
  }

  /** Largest |ln| by which a coordinate lies beyond every row; 0 where `read` does not extrapolate. */
  lnDistance(at: readonly number[]): number {
    return at.reduce((most, value, axis) => {
      const { min, max } = this.#rowBounds[axis]!;
      return Math.max(most, lnDistanceBeyond(value, min, max));
    }, 0);
  }

  #share(axis: number, index: number, value: number): number {
    const ln = this.#lnKnots[axis]!;
    if (value <= this.#knots[axis]![index]!) return 0;
    return (Math.log(value) - ln[index]!) / (ln[index + 1]! - ln[index]!);
  }

  #interpolate(cell: number, shares: readonly number[]): number {
    if (shares.every((share) => share === 0)) return this.#us[cell]!;
    let lnUs = 0;
    for (let corner = 0; corner < 2 ** shares.length; corner += 1) {
      let weight = 1;
      let cornerCell = cell;
      for (let axis = 0; axis < shares.length; axis += 1) {
        const isUpper = ((corner >> axis) & 1) === 1;
        weight *= isUpper ? shares[axis]! : 1 - shares[axis]!;
        if (isUpper) cornerCell += this.#shape.strides[axis]!;
      }
      if (weight > 0) lnUs += weight * Math.log(this.#us[cornerCell]!);
    }
    return Math.exp(lnUs);
  }

  /**
   * Fills the holes, and bounds each filled cell by the rows below and above it, so that the last sweep cannot
   * touch a row.
   */
  #complete(rows: Float64Array, floorUs: Float64Array, modelUs: Float64Array): Float64Array {
    const us = monotoneRows(rows, this.#shape);
    const upper = us.slice();
    sweepMinFromAbove(upper, this.#shape);
    const lower = us.slice();
    sweepMaxFromBelow(lower, this.#shape);
    const grid = { shape: this.#shape, lnKnots: this.#lnKnots, us, floorUs, modelUs };
    fillMissingColumns(grid, fillColumns(grid));
    for (let cell = 0; cell < us.length; cell += 1) {
      if (!Number.isNaN(rows[cell]!)) continue;
      if (us[cell]! > upper[cell]!) us[cell] = upper[cell]!;
      if (us[cell]! < lower[cell]!) us[cell] = lower[cell]!;
    }
    sweepMinFromAbove(us, this.#shape);
    return us;
  }

  #atCells(usAt: (at: readonly number[]) => number): Float64Array {
    const us = new Float64Array(this.#shape.numCells);
    const at = this.#knots.map(() => 0);
    for (let cell = 0; cell < us.length; cell += 1) {
      for (let axis = 0; axis < at.length; axis += 1) {
        at[axis] = this.#knots[axis]![Math.floor(cell / this.#shape.strides[axis]!) % this.#shape.lengths[axis]!]!;
      }
      us[cell] = usAt(at);
    }
    return us;
  }

  #cellOf(at: readonly number[]): number {
    return at.reduce(
      (cell, value, axis) => cell + knotBelow(this.#knots[axis]!, value) * this.#shape.strides[axis]!,
      0,
    );
  }
}

/** Index of the last knot ≤ value, 0 if there is none. */
function knotBelow(knots: Float64Array, value: number): number {
  let low = 0;
  let high = knots.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (knots[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

function bounds(points: readonly GridPoint[], axis: number): GridAxis {
  let min = Number.POSITIVE_INFINITY;
  let max = 0;
  for (const { at } of points) {
    min = Math.min(min, at[axis]!);
    max = Math.max(max, at[axis]!);
  }
  return { min, max };
}

/** The rows' values, continued by halving and doubling to the ends of the range. */
function knotsOf(points: readonly GridPoint[], axis: number, range: GridAxis): Float64Array {
  const values = new Set(points.map(({ at }) => at[axis]!));
  const { min, max } = bounds(points, axis);
  for (let value = min; value > range.min; ) {
    value = Math.max(range.min, value / 2);
    values.add(value);
  }
  for (let value = max; value < range.max; ) {
    value = Math.min(range.max, value * 2);
    values.add(value);
  }
  return Float64Array.from(values).sort();
}

function fixedUs(points: readonly GridPoint[], floorUs: (at: readonly number[]) => number): number {
  const fastest = points.reduce((best, point) => (point.us < best.us ? point : best));
  return Math.max(0, fastest.us - floorUs(fastest.at));
}

function mergeDuplicates(points: readonly GridPoint[]): GridPoint[] {
  const groups = new Map<string, GridPoint[]>();
  for (const point of points) {
    const key = point.at.join(" ");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [point]);
    else group.push(point);
  }
  return [...groups.values()].map((group) => ({ at: group[0]!.at, us: median(group.map(({ us }) => us)) }));
}
