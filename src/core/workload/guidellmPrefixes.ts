import { ConfigError } from "../errors/simulationError.js";
import type { TokenSegment } from "../request/requestSpec.js";
import { contentId } from "./contentIds.js";
import { PythonRandom } from "./pythonRandom.js";
import type { SyntheticData } from "./syntheticData.js";

interface Bucket {
  readonly firstContent: number;
  readonly prefixCount: number;
  readonly prefixTokens: number;
  /** Entries in GuideLLM's list of prefixes: each prefix stands there as often as the bucket's share asks. */
  readonly numEntries: number;
}

/** Longest list `PythonRandom.randbelow` picks from. */
const MAX_ENTRIES = 2 ** 32 - 1;

/**
 * Picks shared prefixes as GuideLLM does: from a list in which each prefix is repeated so that the buckets get their
 * shares. The list is not built: an entry's bucket and prefix follow from its index.
 * @see GuideLLM src/guidellm/data/deserializers/synthetic.py:_create_prefix_iter
 */
export class GuidellmPrefixes {
  readonly #random: PythonRandom;
  readonly #buckets: readonly Bucket[];
  readonly #numEntries: number;

  constructor(data: SyntheticData, seed: number) {
    this.#random = new PythonRandom(seed);
    this.#buckets = layOutBuckets(data);
    this.#numEntries = this.#buckets.reduce((sum, bucket) => sum + bucket.numEntries, 0);
    if (this.#numEntries > MAX_ENTRIES) {
      const received = "prefix counts and weights with no small common ratio";
      const allowed = "choose counts that divide each other, such as 1, 10, 100";
      throw new ConfigError([{ path: "data.prefixBuckets", received, allowed }]);
    }
  }

  /** Segments a prompt opens with: one prefix, or none. */
  next(): readonly TokenSegment[] {
    if (this.#numEntries === 0) return [];
    let entry = this.#random.randbelow(this.#numEntries);
    for (const bucket of this.#buckets) {
      if (entry < bucket.numEntries) {
        if (bucket.prefixTokens === 0) return [];
        const content = bucket.firstContent + (entry % bucket.prefixCount);
        return [{ contentId: contentId("prefix", content), numTokens: bucket.prefixTokens }];
      }
      entry -= bucket.numEntries;
    }
    return [];
  }
}

function layOutBuckets(data: SyntheticData): Bucket[] {
  const { prefixTokens, prefixCount } = data;
  const buckets = data.prefixBuckets ?? [{ bucketWeight: 1, prefixCount, prefixTokens }];
  if (buckets.every((bucket) => bucket.prefixTokens === 0)) return [];
  const multiple = buckets.map((bucket) => bucket.prefixCount).reduce(leastCommonMultiple);
  const shares = buckets.map((bucket) => Math.floor((multiple * bucket.bucketWeight) / bucket.prefixCount));
  const divisor = shares.reduce(greatestCommonDivisor);
  let firstContent = 0;
  return buckets.map((bucket, b) => {
    const numEntries = (bucket.prefixCount * shares[b]!) / divisor;
    const laidOut = { firstContent, prefixCount: bucket.prefixCount, prefixTokens: bucket.prefixTokens, numEntries };
    firstContent += bucket.prefixCount;
    return laidOut;
  });
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function leastCommonMultiple(a: number, b: number): number {
  return (a / greatestCommonDivisor(a, b)) * b;
}
