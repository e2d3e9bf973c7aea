import { createStream } from "../../des/streams.js";
import { sampleInteger, sampleNormal } from "../../workload/sampling.js";

const MAX_SEED = 2 ** 31 - 1;

/**
 * One way the world could be, given what is known of it: an independent number for everything uncertain.
 * Each number has a stream of its own, so it depends on the seed, the world's place and its purpose alone: not on how
 * many worlds are drawn, nor on what else is asked. World 3 is the same for every run and server compared.
 */
export class PossibleWorld {
  readonly #seed: number;
  readonly #index: number;
  readonly #normals = new Map<string, number>();

  /** @param index from 0 */
  constructor(seed: number, index: number) {
    this.#seed = seed;
    this.#index = index;
  }

  /** A standard normal number; the same one for the same purpose. */
  normal(purpose: string): number {
    let value = this.#normals.get(purpose);
    if (value === undefined) {
      value = sampleNormal(this.#stream(purpose));
      this.#normals.set(purpose, value);
    }
    return value;
  }

  /** Seed of the world's own workload. */
  get workloadSeed(): number {
    return sampleInteger(this.#stream("workload"), 0, MAX_SEED);
  }

  #stream(purpose: string) {
    return createStream(this.#seed, `uncertainty/${this.#index}/${purpose}`);
  }
}
