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
  2 ** 25,
  2 ** 27,
  2 ** 29,
];

/** Rows are (ranks, message bytes). A knot is the geometric mean of the rows nearest to it. */
export function fitAllReduce(rows: readonly MeasuredRow[]): CollectiveEfficiency[] {
  const ranks = [...new Set(rows.map((row) => row.dims[0]!))].toSorted((a, b) => a - b);
  return ranks.map((numRanks) => {
    const ofGroup = rows.filter((row) => row.dims[0] === numRanks);
    let atLeast = 0;
    const us = SIZES.map((size) => {
      const near = ofGroup.filter((row) => nearestSize(row.dims[1]!) === size);
      const exact = near.filter((row) => row.dims[1] === size);
      const used = size === SIZES[0] || exact.length === 0 ? near : exact;
      const mean = Math.exp(used.reduce((sum, row) => sum + Math.log(row.us), 0) / used.length);
      atLeast = Math.max(atLeast, Number(mean.toPrecision(4)));
      return atLeast;
    });
    return { numRanks, messageBytes: [...SIZES], us };
  });
}

function nearestSize(bytes: number): number {
  return SIZES.reduce((best, size) =>
    Math.abs(Math.log(size / bytes)) < Math.abs(Math.log(best / bytes)) ? size : best,
  );
}
