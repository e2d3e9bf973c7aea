import { runConfigSchema } from "../../engine/runConfig.js";
import { ConfigError } from "../../errors/simulationError.js";

/** From one seed to the next: GuideLLM's data draws from seeds that lie close together. */
const SEED_STRIDE = 1000;

/**
 * Seeds for runs that differ in their requests and in nothing else, from `first` on.
 * @throws ConfigError where so many do not fit below the largest seed
 */
export function spacedSeeds(first: number, numSeeds: number): number[] {
  const seeds = Array.from({ length: numSeeds }, (_, i) => first + i * SEED_STRIDE);
  const { maxValue } = runConfigSchema.shape.seed.unwrap();
  if (maxValue === null || seeds.at(-1)! <= maxValue) return seeds;
  throw new ConfigError([
    { path: "--seed", received: String(first), allowed: `must leave room for ${numSeeds} seeds, ${SEED_STRIDE} apart` },
  ]);
}
