import seedrandom from "seedrandom";

/**
 * A seeded sequence of numbers in [0, 1). Each call is the next draw.
 * Draws have 32-bit resolution and can be exactly 0, so take logarithms as `Math.log1p(-u)`, never `Math.log(u)`.
 */
export type RandomStream = () => number;

/**
 * Opens the stream of one purpose (`arrivals`, `promptTokens`, …).
 * Streams of different purposes are independent: a further draw from one never moves another.
 * @param seed the run's seed
 * @param purpose what the draws decide; the same seed and purpose always give the same sequence
 */
export function createStream(seed: number | string, purpose: string): RandomStream {
  const generator = seedrandom.alea(`${seed}/${purpose}`);
  return () => generator();
}
