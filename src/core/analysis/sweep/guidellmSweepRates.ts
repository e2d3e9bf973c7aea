/** Benchmarks of a GuideLLM sweep that are there to calibrate it: synchronous and throughput. */
export const NUM_CALIBRATION_RUNS = 2;

/** GuideLLM's own size of a sweep. */
export const DEFAULT_SWEEP_SIZE = 10;

/**
 * Loads that a sweep tries after GuideLLM's own, as multiples of its throughput rate: GuideLLM ends there, at about what the
 * server carries. Of thirteen servers three are past saturation there, ten at the first of these, and at the second all carry
 * less than is offered.
 * @see printed by `npx tsx eval/sweep/probes.ts`
 */
export const PROBE_FACTORS: readonly number[] = [1.15, 1.4];

/**
 * Loads tried where the highest one is carried still, as multiples of it: two at once. The throughput benchmark keeps so many
 * requests in flight that sessions drive each other's prefixes out of the cache, and then carries less than constant rates do.
 */
export const FURTHER_FACTORS: readonly number[] = [1.2, 1.44];

/** How often a sweep goes further: to three times the highest probe. */
export const MAX_FURTHER_ROUNDS = 3;

/**
 * The constant rates of a GuideLLM sweep: `size − 2` of them, evenly spaced above the synchronous rate, the last one the
 * throughput rate.
 * @param synchronousPerS requests/s of the run of one request at a time
 * @param throughputPerS requests/s of the run of all at once
 * @param size benchmarks of the whole sweep, ≥ 2
 * @returns empty where a calibration run gave no rate: GuideLLM ends its sweep there
 * @see GuideLLM src/guidellm/benchmark/profiles.py:SweepProfile, numpy.linspace without its
 *   first value
 */
export function guidellmSweepRates(synchronousPerS: number, throughputPerS: number, size: number): number[] {
  if (!(synchronousPerS > 0) || !(throughputPerS > 0)) return [];
  const numRates = size - NUM_CALIBRATION_RUNS;
  const stepPerS = (throughputPerS - synchronousPerS) / numRates;
  return Array.from({ length: numRates }, (_, i) =>
    i === numRates - 1 ? throughputPerS : synchronousPerS + (i + 1) * stepPerS,
  );
}
