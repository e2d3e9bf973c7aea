import type { RandomStream } from "../des/streams.js";
import { type LengthDistribution, MAX_TOKENS } from "./lengthConfig.js";
import {
  lognormalSampler,
  roundHalfEven,
  sampleInteger,
  sampleNormal,
  WeightedIndex,
  zipfWeights,
} from "./sampling.js";

/** Draws lengths, tokens: integers in [1, MAX_TOKENS]. */
export type LengthSampler = () => number;

/** Builds the sampler of a distribution; every draw comes from `stream`. */
export function createLengthSampler(distribution: LengthDistribution, stream: RandomStream): LengthSampler {
  switch (distribution.kind) {
    case "fixed":
      return () => distribution.tokens;
    case "uniform":
      return () => sampleInteger(stream, distribution.min, distribution.max);
    case "normal": {
      const { mean, stddev } = distribution;
      const [min, max] = clampBounds(mean, stddev, distribution.min, distribution.max);
      return () => tokenCount(mean + stddev * sampleNormal(stream), min, max);
    }
    case "lognormal": {
      const { mean, cv, min, max } = distribution;
      const sample = lognormalSampler(stream, mean, cv);
      return () => tokenCount(sample(), min, max ?? MAX_TOKENS);
    }
    case "zipf": {
      const { min, max, exponent } = distribution;
      const ranks = new WeightedIndex(zipfWeights(max - min + 1, exponent));
      return () => min + ranks.sample(stream);
    }
    case "empirical": {
      const { values } = distribution;
      const index = new WeightedIndex(values.map((value) => value.weight));
      return () => values[index.sample(stream)]!.tokens;
    }
  }
}

/**
 * Bounds of a clamped normal law: as given, else five standard deviations from the mean, never below 1.
 * @see GuideLLM src/guidellm/utils/random.py:IntegerRangeSampler
 */
export function clampBounds(mean: number, stddev: number, min: number | null, max: number | null): [number, number] {
  return [min ?? Math.max(1, mean - 5 * stddev), max ?? mean + 5 * stddev];
}

/** Clamped, not drawn again: what lies outside piles up at the bounds. */
function tokenCount(value: number, min: number, max: number): number {
  const rounded = roundHalfEven(Math.max(min, Math.min(max, value)));
  return Math.min(MAX_TOKENS, Math.max(1, rounded));
}
