import { median } from "../fit/median.js";
import { type Point, robustLine } from "../fit/robustLine.js";
import type { LaunchGap } from "./characterization.js";

/** Two orders of the same kernels in a CUDA graph: every kind after itself, or as decoder layers run them. */
export const KERNEL_ORDERS = ["grouped", "interleaved"] as const;
export type KernelOrder = (typeof KERNEL_ORDERS)[number];

/** µs a kernel: less than this below 0 is the timing of short graphs. */
const TIMER_NOISE_US = 0.1;

/** One timed CUDA graph of dependent kernels. */
export interface LaunchGapRow {
  /** Line of the file, from 1. */
  readonly row: number;
  readonly order: KernelOrder;
  /** Kernels in the graph; both orders of a number hold the same ones. */
  readonly numKernels: number;
  readonly latencyUs: number;
}

/**
 * What a kernel costs more after another kind than after its own: the slope, over the number of kernels, of how much
 * longer a graph takes interleaved than grouped. A kernel's own launch is in both orders and cancels, as it must: kernel
 * measurements, which repeat one kernel, contain it already. Noise below 0 counts as 0;
 * more than noise below 0 means that the two orders do not hold the same kernels.
 */
export function fitLaunchGap(rows: readonly LaunchGapRow[]): LaunchGap | { readonly reason: string } {
  if (rows.length === 0) return { reason: "no rows" };
  const differences = orderDifferences(rows);
  const line = robustLine(differences);
  if (line === null) {
    return { reason: "needs both orders of at least two numbers of kernels, one at least twice the other" };
  }
  const distances = differences.map(({ x, y }) => Math.abs(y - line.intercept - line.slope * x) / x);
  const spreadUs = median(distances);
  if (line.slope < -Math.max(spreadUs, TIMER_NOISE_US)) {
    const us = (-line.slope).toPrecision(2);
    return { reason: `interleaved graphs are ${us} µs a kernel faster than grouped ones: are the kernels the same?` };
  }
  const numRows = rows.filter(({ numKernels }) => differences.some(({ x }) => x === numKernels)).length;
  return { us: Math.max(0, line.slope), spreadUs, numRows };
}

/** Interleaved minus grouped, medians, at every number of kernels that both orders were timed at. */
function orderDifferences(rows: readonly LaunchGapRow[]): Point[] {
  const latenciesUs = (order: KernelOrder, numKernels: number): number[] =>
    rows.filter((row) => row.order === order && row.numKernels === numKernels).map(({ latencyUs }) => latencyUs);
  const numbers = [...new Set(rows.map(({ numKernels }) => numKernels))].sort((a, b) => a - b);
  return numbers.flatMap((numKernels): Point[] => {
    const grouped = latenciesUs("grouped", numKernels);
    const interleaved = latenciesUs("interleaved", numKernels);
    if (grouped.length === 0 || interleaved.length === 0) return [];
    return [{ x: numKernels, y: median(interleaved) - median(grouped) }];
  });
}
