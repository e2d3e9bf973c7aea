import { type GridShape, sweepMaxFromBelow, sweepMinFromAbove } from "./gridSweep.js";

/** A row this much slower than a larger shape is an outlier of its benchmark, not noise. */
const SPIKE_FACTOR = 1.2;

/**
 * Makes latencies rise along every axis, changing as little as that allows: a spike drops to the fastest larger
 * shape; then each row becomes the geometric mean of the slowest row below it and the fastest above it, itself
 * included. Taking either envelope alone would bias a densely measured, noisy table by its noise.
 *
 * A row that no smaller shape exceeds and no larger one undercuts keeps its latency exactly.
 *
 * @param rows µs, NaN where there is no row
 * @returns the same cells, monotone; none below the fastest row above it
 */
export function monotoneRows(rows: Float64Array, shape: GridShape): Float64Array {
  const fastestAbove = rows.slice();
  sweepMinFromAbove(fastestAbove, shape);
  const withoutSpikes = rows.map((us, cell) => (us > SPIKE_FACTOR * fastestAbove[cell]! ? fastestAbove[cell]! : us));
  const slowestBelow = withoutSpikes.slice();
  sweepMaxFromBelow(slowestBelow, shape);
  return rows.map((us, cell) => {
    if (Number.isNaN(us)) return us;
    const slowest = slowestBelow[cell]!;
    const fastest = fastestAbove[cell]!;
    return slowest === fastest ? slowest : Math.sqrt(slowest * fastest);
  });
}
