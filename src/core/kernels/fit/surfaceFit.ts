import { CompiledSurface, type EfficiencySurface, knotFraction, lowerKnot } from "../efficiencySurface.js";
import { solveSymmetric } from "./levenbergMarquardt.js";

/** ln of a base time at ln coordinates. */
export type LnBase = (lnX: number, lnY: number, lnZ: number) => number;

/** Rows a surface is fitted to: shape numbers and ln(measured / base). */
export interface SurfaceRows {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly z: Float64Array;
  readonly lnRatio: Float64Array;
  readonly weight: Float64Array;
}

/** What must rise: base × factor, along these axes, for each of these bases. */
export interface RisingPrice {
  /** Several when the base also depends on dims that are no axis. */
  readonly lnBases: readonly LnBase[];
  readonly risingAxes: readonly (0 | 1 | 2)[];
  /** Least and greatest value an axis can take at all: beyond its knots the base still varies. */
  readonly ranges: readonly [Range, Range, Range];
}

type Range = readonly [number, number];

export interface SurfaceFitOptions extends RisingPrice {
  /** Pull of each knot towards 0, in rows. */
  readonly ridge: number;
  /** Penalty on second differences along each axis, in rows. */
  readonly smoothness: number;
  /** Residuals beyond this many ln units count linearly. */
  readonly huberLn: number;
}

type Knots = EfficiencySurface["knots"];

/** ln factors are stored with this resolution. */
const LN_STEP = 1e-4;
/** ln distance over which the base's slope is taken. */
const SLOPE_STEP = 1e-3;

/** Along an edge the surface may fall by at most `maxFall`, so that base × factor rises. */
interface Edge {
  readonly low: number;
  readonly high: number;
  readonly maxFall: number;
}

/** Rounds of reweighting outliers and pressing on falling edges; later ones change little. */
const NUM_ROUNDS = 5;
/** Weight of a falling edge, in rows. */
const EDGE_WEIGHT = 1e3;

/**
 * Ridge- and smoothness-regularised least squares in log space, monotone along the rising axes together with the base.
 * Deterministic.
 */
export function fitSurface(knots: Knots, rows: SurfaceRows, options: SurfaceFitOptions): EfficiencySurface {
  const edges = monotoneEdges(knots, options);
  let weights = rows.weight;
  let fallingEdges: Edge[] = [];
  let lnFactors: number[] = [];
  for (let round = 0; round < NUM_ROUNDS; round += 1) {
    lnFactors = solveSurface(knots, rows, weights, fallingEdges, options);
    const surface = new CompiledSurface({ knots, lnFactors });
    weights = rows.weight.map((weight, row) => {
      const fitted = surface.lnFactor(Math.log(rows.x[row]!), Math.log(rows.y[row]!), Math.log(rows.z[row]!));
      return weight * Math.min(1, options.huberLn / Math.abs(rows.lnRatio[row]! - fitted || 1e-12));
    });
    const known = new Set(fallingEdges);
    fallingEdges = edges.filter(
      (edge) => known.has(edge) || lnFactors[edge.low]! - lnFactors[edge.high]! > edge.maxFall,
    );
  }
  return { knots, lnFactors: monotone(lnFactors, edges) };
}

/** Bends a surface made for one GPU so that the price rises on another, whose base differs. */
export function bendToRise(surface: EfficiencySurface, rising: RisingPrice): EfficiencySurface {
  return { knots: surface.knots, lnFactors: monotone(surface.lnFactors, monotoneEdges(surface.knots, rising)) };
}

function solveSurface(
  knots: Knots,
  rows: SurfaceRows,
  weights: Float64Array,
  fallingEdges: readonly Edge[],
  options: SurfaceFitOptions,
): number[] {
  const lnKnots = knots.map((axis) => Float64Array.from(axis, Math.log)) as [Float64Array, Float64Array, Float64Array];
  const sizes = knots.map((axis) => axis.length) as [number, number, number];
  const numValues = sizes[0] * sizes[1] * sizes[2];
  const normal = Array.from({ length: numValues }, () => new Array<number>(numValues).fill(0));
  const right = new Array<number>(numValues).fill(0);
  const index = new Int32Array(8);
  const share = new Float64Array(8);
  for (let row = 0; row < rows.x.length; row += 1) {
    corners(lnKnots, sizes, [rows.x[row]!, rows.y[row]!, rows.z[row]!], index, share);
    const weight = weights[row]!;
    for (let a = 0; a < 8; a += 1) {
      if (share[a] === 0) continue;
      right[index[a]!]! += weight * share[a]! * rows.lnRatio[row]!;
      const line = normal[index[a]!]!;
      for (let b = 0; b < 8; b += 1) line[index[b]!]! += weight * share[a]! * share[b]!;
    }
  }
  for (let i = 0; i < numValues; i += 1) normal[i]![i]! += options.ridge;
  addSmoothness(normal, lnKnots, sizes, options.smoothness);
  for (const { low, high, maxFall } of fallingEdges) {
    normal[low]![low]! += EDGE_WEIGHT;
    normal[high]![high]! += EDGE_WEIGHT;
    normal[low]![high]! -= EDGE_WEIGHT;
    normal[high]![low]! -= EDGE_WEIGHT;
    right[low]! += EDGE_WEIGHT * maxFall;
    right[high]! -= EDGE_WEIGHT * maxFall;
  }
  return solveSymmetric(normal, right);
}

function corners(
  lnKnots: readonly [Float64Array, Float64Array, Float64Array],
  sizes: readonly [number, number, number],
  at: readonly [number, number, number],
  index: Int32Array,
  share: Float64Array,
): void {
  const cell = at.map((value, axis) => lowerKnot(lnKnots[axis]!, Math.log(value)));
  const fraction = at.map((value, axis) => knotFraction(lnKnots[axis]!, cell[axis]!, Math.log(value)));
  for (let corner = 0; corner < 8; corner += 1) {
    let weight = 1;
    let flat = 0;
    for (let axis = 0; axis < 3; axis += 1) {
      const up = (corner >> axis) & 1;
      weight *= up === 1 ? fraction[axis]! : 1 - fraction[axis]!;
      flat = flat * sizes[axis]! + Math.min(cell[axis]! + up, sizes[axis]! - 1);
    }
    index[corner] = flat;
    share[corner] = weight;
  }
}

/** Adds a penalty on the change of slope between neighbouring cells, per octave, along each axis. */
function addSmoothness(
  normal: number[][],
  lnKnots: readonly [Float64Array, Float64Array, Float64Array],
  sizes: readonly [number, number, number],
  smoothness: number,
): void {
  const strides = [sizes[1] * sizes[2], sizes[2], 1];
  for (let axis = 0; axis < 3; axis += 1) {
    const ln = lnKnots[axis]!;
    const stride = strides[axis]!;
    for (let flat = 0; flat < normal.length; flat += 1) {
      const position = Math.floor(flat / stride) % sizes[axis]!;
      if (position === 0 || position === sizes[axis]! - 1) continue;
      const before = ln[position]! - ln[position - 1]!;
      const after = ln[position + 1]! - ln[position]!;
      const scale = (2 * Math.min(before, after)) / (before + after);
      const members = [flat - stride, flat, flat + stride];
      const factors = [scale / before, -scale * (1 / before + 1 / after), scale / after].map((f) => f * Math.LN2);
      for (let a = 0; a < 3; a += 1) {
        for (let b = 0; b < 3; b += 1) normal[members[a]!]![members[b]!]! += smoothness * factors[a]! * factors[b]!;
      }
    }
  }
}

/** All edges of the grid, in an order in which every edge leaves a finished knot. */
function monotoneEdges(knots: Knots, rising: RisingPrice): Edge[] {
  const sizes = knots.map((axis) => axis.length);
  const strides = [sizes[1]! * sizes[2]!, sizes[2]!, 1];
  const risesOf = rising.risingAxes.map((axis) => ({ axis, rises: leastRises(knots, strides, axis, rising) }));
  const edges: Edge[] = [];
  for (let flat = 0; flat < sizes[0]! * strides[0]!; flat += 1) {
    for (const { axis, rises } of risesOf) {
      if (Math.floor(flat / strides[axis]!) % sizes[axis]! === 0) continue;
      edges.push({ low: flat - strides[axis]!, high: flat, maxFall: Math.max(0, rises[flat]!) });
    }
  }
  return edges;
}

/**
 * The midpoint between the least surface above the fit and the greatest below it that fall nowhere too much:
 * both fulfil the edges, hence their mean does. Rounded in steps that keep it so.
 */
function monotone(lnFactors: readonly number[], edges: readonly Edge[]): number[] {
  const above = lnFactors.map((value) => Math.round(value / LN_STEP));
  const below = [...above];
  const maxFalls = edges.map((edge) => Math.floor(edge.maxFall / LN_STEP));
  edges.forEach(({ low, high }, i) => {
    above[high] = Math.max(above[high]!, above[low]! - maxFalls[i]!);
  });
  for (let i = edges.length - 1; i >= 0; i -= 1) {
    const { low, high } = edges[i]!;
    below[low] = Math.min(below[low]!, below[high]! + maxFalls[i]!);
  }
  return above.map((value, i) => Number((((value + below[i]!) / 2) * LN_STEP).toFixed(5)));
}

/**
 * For every knot but the first along `axis`: the least slope of any base wherever the edge that ends at the knot has
 * influence, times the edge's length. Its influence reaches one knot further on both other axes, at the outermost knots to
 * the ends of the range. Neighbouring edges share these places, so each place's slope is taken once.
 */
function leastRises(knots: Knots, strides: readonly number[], axis: 0 | 1 | 2, rising: RisingPrice): Float64Array {
  const [a, b] = [0, 1, 2].filter((other) => other !== axis) as [number, number];
  const places = (other: number): number[] => {
    const [least, greatest] = rising.ranges[other]!;
    return [least, ...knots[other]!, greatest].map(Math.log);
  };
  const [placesA, placesB] = [places(a), places(b)];
  const lnKnots = knots[axis].map(Math.log);
  const rises = new Float64Array(knots[0].length * knots[1].length * knots[2].length);
  for (let end = 1; end < lnKnots.length; end += 1) {
    const [before, here] = [lnKnots[end - 1]!, lnKnots[end]!];
    const along = [before, (before + here) / 2, here - SLOPE_STEP];
    const slopes = placesA.map((lnA) => placesB.map((lnB) => leastSlope(rising.lnBases, axis, along, lnA, lnB)));
    for (let i = 0; i < knots[a]!.length; i += 1) {
      for (let j = 0; j < knots[b]!.length; j += 1) {
        const near = slopes.slice(i, i + 3).flatMap((row) => row.slice(j, j + 3));
        rises[end * strides[axis]! + i * strides[a]! + j * strides[b]!] = Math.min(...near) * (here - before);
      }
    }
  }
  return rises;
}

/** Least slope of any base at some places along an axis, at one place on the other two. */
function leastSlope(
  lnBases: readonly LnBase[],
  axis: 0 | 1 | 2,
  along: readonly number[],
  lnA: number,
  lnB: number,
): number {
  const baseAt = (lnBase: LnBase, ln: number): number => {
    if (axis === 0) return lnBase(ln, lnA, lnB);
    return axis === 1 ? lnBase(lnA, ln, lnB) : lnBase(lnA, lnB, ln);
  };
  let least = Number.POSITIVE_INFINITY;
  for (const lnBase of lnBases) {
    for (const ln of along) {
      const slope = (baseAt(lnBase, ln + SLOPE_STEP) - baseAt(lnBase, ln)) / SLOPE_STEP;
      if (slope < least) least = slope;
    }
  }
  return least;
}
