import { createStream } from "../des/streams.js";
import { US_PER_S } from "../units/units.js";
import type { OpenLoopProfile } from "./arrivalConfig.js";
import { sampleExponential, sampleGamma } from "./sampling.js";

/** Yields arrival times one by one: integer µs from the start of the run, never decreasing, without end. */
export type ArrivalProcess = () => number;

/**
 * Builds the arrival process of an open-loop profile.
 * @param numRequests how many arrivals will be taken, or null when unknown; vLLM's rescaling needs it
 */
export function createArrivalProcess(
  profile: OpenLoopProfile,
  seed: number | string,
  numRequests: number | null,
): ArrivalProcess {
  switch (profile.kind) {
    case "constant":
      return constantArrivals(profile.rate, profile.first === "after-gap" ? 1 : 0);
    case "poisson":
      return accumulateGaps(poissonGapsS(profile.rate, profile.workers, seed));
    case "gamma": {
      const gaps = () => gammaGapsS(profile.rate, profile.burstiness, seed);
      if (!profile.rescale || numRequests === null) return accumulateGaps(gaps());
      return rescaledArrivals(gaps, profile.rate, numRequests);
    }
  }
}

/** Multiplies instead of adding gaps up: the i-th arrival is exact however long the run. */
function constantArrivals(requestsPerS: number, firstIndex: number): ArrivalProcess {
  let index = firstIndex;
  return () => toUs(index++ / requestsPerS);
}

function poissonGapsS(requestsPerS: number, workers: number, seed: number | string): () => number {
  const stream = createStream(seed, "arrivals");
  let gapS = 0;
  let repeats = 0;
  return () => {
    if (repeats === 0) gapS = sampleExponential(stream) / requestsPerS;
    repeats = (repeats + 1) % workers;
    return gapS;
  };
}

function gammaGapsS(requestsPerS: number, burstiness: number, seed: number | string): () => number {
  const stream = createStream(seed, "arrivals");
  const scaleS = 1 / (requestsPerS * burstiness);
  return () => sampleGamma(stream, burstiness) * scaleS;
}

function accumulateGaps(nextGapS: () => number): ArrivalProcess {
  let timeS = 0;
  return () => {
    timeS += nextGapS();
    return toUs(timeS);
  };
}

/**
 * Scales the cumulated gaps so that arrival number n falls on n/rate; later ones go on at the same scale.
 * The gaps are drawn twice from equal streams, so nothing is stored.
 * @see vllm/benchmarks/serve.py:get_request
 */
function rescaledArrivals(gaps: () => () => number, requestsPerS: number, n: number): ArrivalProcess {
  const rehearsal = gaps();
  let totalS = 0;
  for (let i = 0; i < n; i++) totalS += rehearsal();
  const lastS = n / requestsPerS;
  const factor = totalS > 0 ? lastS / totalS : 1;
  const nextGapS = gaps();
  let timeS = 0;
  let index = 0;
  return () => {
    timeS += nextGapS();
    index++;
    // The product may be a rounding error off n/rate; the law is exact.
    return toUs(index === n && totalS > 0 ? lastS : timeS * factor);
  };
}

function toUs(timeS: number): number {
  return Math.round(timeS * US_PER_S);
}
