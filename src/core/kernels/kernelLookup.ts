/**
 * Where a price lies relative to the data behind it: inside, beyond its edge, at the one row that stands nearest, or
 * not read from data at all because a formula gave it (small kernels, the sampler, a family or dtype without its own fit
 * or table). How the data came about is another question: `PriceSource`.
 */
export type LookupKind = "interpolated" | "extrapolated" | "nearest" | "formula";

/** How the price of an operator was found. */
export interface KernelLookup {
  readonly kind: LookupKind;
  /**
   * The largest |ln| by which one of the operator's shape numbers lies beyond the data where the price is extrapolated,
   * or away from the row where it is the nearest one's; else 0. ln 2 = 0.69: twice as large, or half. Axes are judged one
   * by one: a shape inside every axis may still lie between rows that are far apart.
   */
  readonly lnDistance: number;
}

/** A formula without data. */
export const FORMULA: KernelLookup = { kind: "formula", lnDistance: 0 };

const INTERPOLATED: KernelLookup = { kind: "interpolated", lnDistance: 0 };

/** A price read from data, so far beyond its edge; 0 = inside. */
export function dataLookup(lnDistance: number): KernelLookup {
  return lnDistance > 0 ? { kind: "extrapolated", lnDistance } : INTERPOLATED;
}

/** |ln| by which a value lies outside [min, max]; 0 inside. All > 0. */
export function lnDistanceBeyond(value: number, min: number, max: number): number {
  if (value < min) return Math.log(min / value);
  return value > max ? Math.log(value / max) : 0;
}
