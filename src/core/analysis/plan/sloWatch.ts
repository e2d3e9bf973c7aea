import type { RequestSink } from "../../engine/runResult.js";
import { neededFraction, type Slo, sloName } from "../../metrics/slo.js";
import { FRACTION_SLACK, isGood, isLate, type JudgedRecord, type SloCheck } from "../../metrics/sloCheck.js";

/** Nothing that is still to come can mend an SLO: ends the simulation. */
export class SloBroken extends Error {
  readonly check: SloCheck;

  constructor(check: SloCheck) {
    super(`${check.name} is broken for certain`);
    this.check = check;
  }
}

/** A promise that some requests may break. */
interface Watched {
  readonly isBroken: (record: JudgedRecord) => boolean;
  readonly check: SloCheck;
  /** The SLO is broken, whatever comes, once more requests than this have broken it. */
  readonly numAllowed: number;
  numBroken: number;
}

/** Counts a run's good requests, and stops the run as soon as it cannot keep its SLO any more. */
export class SloWatch implements RequestSink {
  readonly #slo: Slo;
  readonly #watched: readonly Watched[];
  #numGood = 0;
  #numAll = 0;

  /** @param numRequests that the run will have at most; null = never stop it */
  constructor(slo: Slo, numRequests: number | null) {
    this.#slo = slo;
    this.#watched = numRequests === null ? [] : watchedOf(slo, numRequests);
  }

  /** Share of the requests seen so far that are good; null where no limit is on each request, or none was seen. */
  get goodputFraction(): number | null {
    return this.#slo.goodputFraction === null || this.#numAll === 0 ? null : this.#numGood / this.#numAll;
  }

  /** @throws SloBroken */
  add(record: JudgedRecord): void {
    this.#numAll++;
    if (isGood(record, this.#slo)) this.#numGood++;
    for (const watched of this.#watched) {
      if (watched.isBroken(record) && ++watched.numBroken > watched.numAllowed) throw new SloBroken(watched.check);
    }
  }
}

/**
 * Of n completed requests the percentile q lies at or above the one of 0-based rank ⌊q(n − 1)⌋: with that one late, it is
 * late; fewer than n allow no more late ones. And a share q must complete. A mean can always be mended, ITL weighs
 * requests by their tokens, and gaps are no request's: of these only what completes is watched.
 */
function watchedOf(slo: Slo, numRequests: number): Watched[] {
  const watched = slo.limits.flatMap((limit): Watched[] => {
    const { statistic, latency, limitMs } = limit;
    if (statistic === null) return [];
    const check = { name: sloName(limit), limit: limitMs, value: null, isMet: false };
    const fraction = neededFraction(statistic);
    const numLost = shareOf(numRequests, 1 - fraction);
    const lost = { isBroken: isLost, check, numAllowed: numLost, numBroken: 0 };
    if (statistic === "mean" || latency === "itlMs" || latency === "gapMs") return [lost];
    const numLate = numRequests - Math.floor(fraction * (numRequests - 1)) - 1;
    const isBroken = (record: JudgedRecord) => !isLost(record) && isLate(record, limit);
    return [lost, { isBroken, check, numAllowed: numLate, numBroken: 0 }];
  });
  if (slo.goodputFraction === null) return watched;
  const check = { name: "goodput", limit: slo.goodputFraction, value: null, isMet: false };
  const numAllowed = shareOf(numRequests, 1 - slo.goodputFraction);
  return [...watched, { isBroken: (record) => !isGood(record, slo), check, numAllowed, numBroken: 0 }];
}

function isLost({ status }: JudgedRecord): boolean {
  return status !== "completed";
}

/** A share of a number of requests, whole ones; a share that binary fractions miss by a hair does not lose one. */
function shareOf(numRequests: number, fraction: number): number {
  return Math.floor(fraction * numRequests + FRACTION_SLACK * numRequests);
}
