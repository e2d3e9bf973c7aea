import type { MeasuredRow } from "../../src/core/kernels/fit/measuredRow.js";
import type { CollectiveEfficiency } from "../../src/core/kernels/gpuEfficiency.js";

/** Message sizes kept as knots: every second power of two, all around the change of algorithm. */
const SIZES = [
  2 ** 10,
  2 ** 13,
  2 ** 15,
  2 ** 16,
  2 ** 17,
  2 ** 18,
  2 ** 19,
  2 ** 20,
  2 ** 21,
  2 ** 22,
  2 ** 23,
  2 ** 24,
  2 ** 25,
  2 ** 27,
  2 ** 29,
];

/**
 * µs at each knot: the faster of vLLM's custom kernel and NCCL, as vLLM's thresholds pick the faster one. On H100 the
 * result agrees with what vLLM's developers publish for multicast all-reduce (2 MiB: 18 µs, pull request 42324).
 * @param custom rows of (ranks, message bytes)
 * @param nccl rows of (ranks, message bytes)
 */
export function fitAllReduce(custom: readonly MeasuredRow[], nccl: readonly MeasuredRow[]): CollectiveEfficiency[] {
  const ranks = [...new Set(custom.map((row) => row.dims[0]!))].toSorted((a, b) => a - b);
  return ranks.map((numRanks) => {
    let atLeast = 0;
    const us = SIZES.map((size) => {
      const fastest = Math.min(knotUs(custom, numRanks, size), knotUs(nccl, numRanks, size));
      atLeast = Math.max(atLeast, Number(fastest.toPrecision(4)));
      return atLeast;
    });
    return { numRanks, messageBytes: [...SIZES], us };
  });
}

/** Geometric mean of the rows nearest to a knot, of the rows exactly there if any; Infinity without rows. */
function knotUs(rows: readonly MeasuredRow[], numRanks: number, size: number): number {
  const near = rows.filter((row) => row.dims[0] === numRanks && nearestSize(row.dims[1]!) === size);
  if (near.length === 0) return Number.POSITIVE_INFINITY;
  const exact = near.filter((row) => row.dims[1] === size);
  const used = size === SIZES[0] || exact.length === 0 ? near : exact;
  return Math.exp(used.reduce((sum, row) => sum + Math.log(row.us), 0) / used.length);
}

function nearestSize(bytes: number): number {
  return SIZES.reduce((best, size) =>
    Math.abs(Math.log(size / bytes)) < Math.abs(Math.log(best / bytes)) ? size : best,
  );
}
