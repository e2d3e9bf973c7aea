const TAIL_FRACTION = 0.1;
/** Share of possible worlds whose value an interval holds. */
export const INTERVAL_LEVEL = 1 - 2 * TAIL_FRACTION;
/** Fewer draws have no such interval: their least and greatest value would have to do. */
export const MIN_DRAWS = 9;

/** An 80 % interval. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * The 80 % interval that draws of a value span, its central value included; null without that or with too few draws.
 * The ends are order statistics at (n + 1)·10 % and (n + 1)·90 %, between which a further draw falls with a probability
 * of 80 % whatever n and the distribution are; numpy's default quantiles would hold 72 % at n = 20.
 * @param draws in any order; null where a draw has no such value
 */
export function interval80(draws: readonly (number | null)[], central: number | null): Interval | null {
  const sorted = Float64Array.from(draws.filter((value) => value !== null)).sort();
  if (central === null || sorted.length < MIN_DRAWS) return null;
  const lowRank = TAIL_FRACTION * (sorted.length + 1);
  const low = orderStatistic(sorted, lowRank);
  const high = orderStatistic(sorted, sorted.length + 1 - lowRank);
  return { low: Math.min(low, central), high: Math.max(high, central) };
}

/** The rank-th smallest value, 1 the least, interpolated between ranks. */
function orderStatistic(sorted: Float64Array, rank: number): number {
  const below = Math.min(Math.max(Math.floor(rank), 1), sorted.length);
  const low = sorted[below - 1]!;
  const high = sorted[Math.min(below, sorted.length - 1)]!;
  return low + (high - low) * Math.max(0, Math.min(1, rank - below));
}
