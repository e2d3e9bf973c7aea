import type { RandomStream } from "../des/streams.js";

/** Exponential variate with mean 1. */
export function sampleExponential(stream: RandomStream): number {
  return -Math.log1p(-stream());
}

/** Standard normal variate; takes two draws (Box–Muller, the partner is not kept, so draws stay countable). */
export function sampleNormal(stream: RandomStream): number {
  const radius = Math.sqrt(2 * sampleExponential(stream));
  return radius * Math.cos(2 * Math.PI * stream());
}

/**
 * Gamma variate with the given shape > 0 and scale 1 (mean = variance = shape).
 * @see Marsaglia & Tsang 2000, "A simple method for generating gamma variables"; shapes below 1 use Γ(a) = Γ(a+1)·U^(1/a)
 */
export function sampleGamma(stream: RandomStream, shape: number): number {
  if (shape < 1) return sampleGamma(stream, shape + 1) * (1 - stream()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = sampleNormal(stream);
    const root = 1 + c * x;
    if (root <= 0) continue;
    const v = root ** 3;
    if (Math.log1p(-stream()) < x * x * 0.5 + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Integer drawn uniformly from [min, max], both included. */
export function sampleInteger(stream: RandomStream, min: number, max: number): number {
  return min + Math.floor(stream() * (max - min + 1));
}

/** Lognormal variates with the given mean and coefficient of variation (standard deviation / mean). */
export function lognormalSampler(stream: RandomStream, mean: number, cv: number): () => number {
  const variance = Math.log1p(cv * cv);
  const sigma = Math.sqrt(variance);
  return () => mean * Math.exp(sigma * sampleNormal(stream) - variance / 2);
}

/** Draws indices 0 … n−1 in proportion to their weights; O(n) to build, O(log n) per draw. */
export class WeightedIndex {
  readonly #cumulative: Float64Array;

  /** @param weights each ≥ 0 and finite, at least one above 0 */
  constructor(weights: ArrayLike<number>) {
    this.#cumulative = new Float64Array(weights.length);
    let total = 0;
    for (let i = 0; i < weights.length; i++) {
      total += weights[i] as number;
      this.#cumulative[i] = total;
    }
  }

  sample(stream: RandomStream): number {
    const cumulative = this.#cumulative;
    const target = stream() * cumulative[cumulative.length - 1]!;
    let low = 0;
    let high = cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle]! > target) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Weights 1/k^exponent of ranks k = 1 … n: a Zipf law. */
export function zipfWeights(n: number, exponent: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => (i + 1) ** -exponent);
}

/** Rounds halves to the even neighbour, as Python's `round` does. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const fraction = value - floor;
  if (fraction !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
