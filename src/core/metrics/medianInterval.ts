import type { Interval } from "./interval.js";

/** Chance that is accepted of an end lying on the wrong side of the median, where there are values enough. */
const MAX_TAIL = 0.05;

/** What is known of a median from so many independent draws. */
export interface SignTest {
  /** The rank-th smallest and the rank-th largest draw are the ends of the interval, 1 = the least and the greatest. */
  readonly rank: number;
  /** Share of repetitions whose lower end is at most the median; the same for the upper one. */
  readonly oneSidedLevel: number;
  /** Share of repetitions whose interval holds the median. */
  readonly level: number;
}

/**
 * The narrowest interval of order statistics that is wrong on either side at most once in twenty; the least and the greatest
 * value where not even these are (fewer than five draws). It holds whatever the distribution is.
 * @param count of draws, ≥ 2
 * @see Conover, Practical Nonparametric Statistics, 3rd ed., 3.2: confidence intervals of a quantile
 */
export function signTest(count: number): SignTest {
  // P(fewer than `rank` of the draws lie below the median): a sum of binomial terms.
  let term = 0.5 ** count;
  let tail = term;
  let rank = 1;
  for (;;) {
    term *= (count - rank + 1) / rank;
    if (tail + term > MAX_TAIL) return { rank, oneSidedLevel: 1 - tail, level: 1 - 2 * tail };
    tail += term;
    rank++;
  }
}

/** The interval of the sign test for the median; both ends are draws. null with fewer than two, which say nothing of their spread. */
export function medianInterval(values: readonly number[]): Interval | null {
  if (values.length < 2) return null;
  const sorted = Float64Array.from(values).sort();
  const { rank } = signTest(values.length);
  return { low: sorted[rank - 1] as number, high: sorted[sorted.length - rank] as number };
}
