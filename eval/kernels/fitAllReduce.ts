import type { CollectiveEfficiency } from "../../src/core/kernels/gpuEfficiency.js";
import type { MeasuredRow } from "./fitRows.js";

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

/** µs by message bytes. */
type KnownUs = Readonly<Record<number, number>>;

/** Multicast all-reduce over NVSwitch, 8 × SM 9.0 (benchmark in vLLM pull request 42324). */
const MULTIMEM_US: KnownUs = {
  [2 ** 19]: 11,
  [2 ** 20]: 14,
  [2 ** 21]: 18,
  [2 ** 22]: 27,
  [2 ** 23]: 46,
  [2 ** 24]: 87,
  [2 ** 25]: 165,
};

/**
 * All-reduce on Hopper with NVSwitch as vLLM's developers measure it, by ranks. Two ranks: the custom kernel of the
 * benchmark in vLLM pull request 22086, less 2.5 µs of RMSNorm. Four ranks have no published table; traffic through
 * the switch hardly depends on the ranks, so eight's stand in.
 */
export const HOPPER_NVSWITCH_US: Readonly<Record<number, KnownUs>> = {
  2: { [2 ** 19]: 7.5, [2 ** 20]: 9.5, [2 ** 21]: 14.5 },
  4: MULTIMEM_US,
  8: MULTIMEM_US,
};

/**
 * µs at each knot: the faster of vLLM's custom kernel and NCCL, as vLLM's thresholds pick the faster one. Where the
 * developers of vLLM published a time too, the geometric mean of the two sources, which differ by up to 1.7 there.
 * @param custom rows of (ranks, message bytes)
 * @param nccl rows of (ranks, message bytes)
 */
export function fitAllReduce(
  custom: readonly MeasuredRow[],
  nccl: readonly MeasuredRow[],
  published: Readonly<Record<number, KnownUs>>,
): CollectiveEfficiency[] {
  const ranks = [...new Set(custom.map((row) => row.dims[0]!))].toSorted((a, b) => a - b);
  return ranks.map((numRanks) => {
    let atLeast = 0;
    const us = SIZES.map((size) => {
      const fastest = Math.min(knotUs(custom, numRanks, size), knotUs(nccl, numRanks, size));
      const publishedUs = published[numRanks]?.[size];
      const used = publishedUs === undefined ? fastest : Math.sqrt(fastest * publishedUs);
      atLeast = Math.max(atLeast, Number(used.toPrecision(4)));
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
