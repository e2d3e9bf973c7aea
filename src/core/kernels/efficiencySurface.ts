/**
 * A smooth correction on top of a parametric kernel time: `exp` of a trilinear interpolation in the logarithms
 * of three shape numbers. Outside the knots the edge value holds, so efficiency is extrapolated flat.
 */
export interface EfficiencySurface {
  /** Three ascending knot lists in natural units (tokens, features, …); a single knot switches an axis off. */
  readonly knots: readonly [readonly number[], readonly number[], readonly number[]];
  /** ln of the factor at each knot, row-major over the three axes. */
  readonly lnFactors: readonly number[];
}

/** An `EfficiencySurface` laid out for evaluation without allocation. */
export class CompiledSurface {
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #z: Float64Array;
  readonly #lnFactors: Float64Array;

  constructor(surface: EfficiencySurface) {
    this.#x = Float64Array.from(surface.knots[0], Math.log);
    this.#y = Float64Array.from(surface.knots[1], Math.log);
    this.#z = Float64Array.from(surface.knots[2], Math.log);
    this.#lnFactors = Float64Array.from(surface.lnFactors);
  }

  /** @returns factor ≥ 0 on the base time at the three shape numbers, each > 0 */
  factor(x: number, y: number, z: number): number {
    return Math.exp(this.lnFactor(Math.log(x), Math.log(y), Math.log(z)));
  }

  /** Largest |ln| by which one of the three shape numbers, each > 0, lies beyond its knots; 0 inside. */
  lnDistance(x: number, y: number, z: number): number {
    return Math.max(
      beyondKnots(this.#x, Math.log(x)),
      beyondKnots(this.#y, Math.log(y)),
      beyondKnots(this.#z, Math.log(z)),
    );
  }

  /** The surface at one value of its third shape number; the same factors, to the last bit. */
  at(lnZ: number): SurfaceSlice {
    const numZ = this.#z.length;
    const k = lowerKnot(this.#z, lnZ);
    const w = knotFraction(this.#z, k, lnZ);
    const values = this.#lnFactors;
    const sliced = new Float64Array(this.#x.length * this.#y.length);
    for (let i = 0; i < sliced.length; i++) {
      const low = values[i * numZ + k]!;
      sliced[i] = low + w * (values[i * numZ + k + (numZ > 1 ? 1 : 0)]! - low);
    }
    return new SurfaceSlice(this.#x, this.#y, sliced);
  }

  /** The same in logarithms, for fits. */
  lnFactor(lnX: number, lnY: number, lnZ: number): number {
    const i = lowerKnot(this.#x, lnX);
    const j = lowerKnot(this.#y, lnY);
    const k = lowerKnot(this.#z, lnZ);
    const u = knotFraction(this.#x, i, lnX);
    const v = knotFraction(this.#y, j, lnY);
    const w = knotFraction(this.#z, k, lnZ);
    const values = this.#lnFactors;
    const numZ = this.#z.length;
    const strideX = this.#y.length * numZ;
    const base = i * strideX + j * numZ + k;
    const stepX = this.#x.length > 1 ? strideX : 0;
    const stepY = this.#y.length > 1 ? numZ : 0;
    const stepZ = numZ > 1 ? 1 : 0;
    const lowX = bilinear(values, base, stepY, stepZ, v, w);
    return lowX + u * (bilinear(values, base + stepX, stepY, stepZ, v, w) - lowX);
  }
}

/** An `EfficiencySurface` over two of its shape numbers, the third being fixed. */
export class SurfaceSlice {
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #lnFactors: Float64Array;
  readonly #stepX: number;
  readonly #stepY: number;
  /** The first number that was asked for last: steps mostly repeat it. */
  #lnX = Number.NaN;
  #base = 0;
  #fractionX = 0;

  /** @param lnFactors `[x][y]` */
  constructor(lnX: Float64Array, lnY: Float64Array, lnFactors: Float64Array) {
    this.#x = lnX;
    this.#y = lnY;
    this.#lnFactors = lnFactors;
    this.#stepX = lnX.length > 1 ? lnY.length : 0;
    this.#stepY = lnY.length > 1 ? 1 : 0;
  }

  lnFactor(lnX: number, lnY: number): number {
    if (lnX !== this.#lnX) {
      const i = lowerKnot(this.#x, lnX);
      this.#lnX = lnX;
      this.#base = i * this.#y.length;
      this.#fractionX = knotFraction(this.#x, i, lnX);
    }
    const values = this.#lnFactors;
    const j = lowerKnot(this.#y, lnY);
    const v = knotFraction(this.#y, j, lnY);
    const at = this.#base + j;
    const above = at + this.#stepX;
    const low = values[at]! + v * (values[at + this.#stepY]! - values[at]!);
    const high = values[above]! + v * (values[above + this.#stepY]! - values[above]!);
    return low + this.#fractionX * (high - low);
  }
}

/** A single knot switches its axis off: nothing lies beyond it. */
function beyondKnots(lnKnots: Float64Array, ln: number): number {
  if (lnKnots.length === 1) return 0;
  return Math.max(0, lnKnots[0]! - ln, ln - lnKnots[lnKnots.length - 1]!);
}

/** Index of the cell that holds `ln`: 0 … length − 2 (0 for a single knot). Knot lists are short: a linear scan wins. */
export function lowerKnot(lnKnots: Float64Array, ln: number): number {
  const last = lnKnots.length - 2;
  let index = 0;
  while (index < last && ln >= lnKnots[index + 1]!) index += 1;
  return index;
}

/** Position inside the cell, clamped to [0, 1]; 0 for a single knot. */
export function knotFraction(lnKnots: Float64Array, index: number, ln: number): number {
  if (lnKnots.length === 1) return 0;
  const low = lnKnots[index]!;
  const fraction = (ln - low) / (lnKnots[index + 1]! - low);
  return Math.max(0, Math.min(1, fraction));
}

function bilinear(
  values: Float64Array,
  base: number,
  stepY: number,
  stepZ: number,
  fractionY: number,
  fractionZ: number,
): number {
  const low = values[base]! + fractionZ * (values[base + stepZ]! - values[base]!);
  const high = values[base + stepY]! + fractionZ * (values[base + stepY + stepZ]! - values[base + stepY]!);
  return low + fractionY * (high - low);
}
