import { describe, expect, it } from "vitest";
import { fitLaunchGap, type LaunchGapRow } from "../../../../../src/core/kernels/characterization/fitLaunchGap.js";

const NUMBERS = [40, 80, 160, 320];

function graphs(kernelUs: number, gapUs: number, fixedUs = 0): LaunchGapRow[] {
  return NUMBERS.flatMap((numKernels, i): LaunchGapRow[] => {
    const latencyUs = fixedUs + numKernels * kernelUs;
    return [
      { row: 2 * i + 2, order: "grouped", numKernels, latencyUs },
      { row: 2 * i + 3, order: "interleaved", numKernels, latencyUs: latencyUs + numKernels * gapUs },
    ];
  });
}

describe("fitLaunchGap", () => {
  it("finds what interleaving adds per kernel, whatever the kernels and the graph's launch take themselves", () => {
    for (const [kernelUs, fixedUs] of [
      [1.5, 0],
      [40, 12],
    ] as const) {
      expect(fitLaunchGap(graphs(kernelUs, 0.7, fixedUs))).toMatchObject({ us: expect.closeTo(0.7, 9), numRows: 8 });
    }
  });

  it("takes medians of repeats", () => {
    const rows = graphs(2, 0.7);
    const disturbed = rows.map((row) => ({ ...row, latencyUs: 5 * row.latencyUs }));
    expect(fitLaunchGap([...rows, ...disturbed, ...rows])).toMatchObject({ us: expect.closeTo(0.7, 9), numRows: 24 });
  });

  it("is never negative: noise where there is no gap counts as none", () => {
    expect(fitLaunchGap(graphs(2, -0.01))).toMatchObject({ us: 0 });
  });

  it("tells no gap where interleaving is clearly faster: the orders cannot hold the same kernels", () => {
    expect(fitLaunchGap(graphs(2, -0.5))).toEqual({ reason: expect.stringContaining("0.50 µs a kernel faster") });
  });

  it("needs both orders of two numbers of kernels", () => {
    const rows = graphs(2, 0.7);
    expect(fitLaunchGap([])).toEqual({ reason: "no rows" });
    expect(fitLaunchGap(rows.filter(({ order }) => order === "grouped"))).toHaveProperty("reason");
    expect(fitLaunchGap(rows.filter(({ numKernels }) => numKernels === 80))).toHaveProperty("reason");
    // 40 grouped and 160 interleaved are no pair.
    const unpaired = rows.filter(({ order, numKernels }) => (order === "grouped") === numKernels < 100);
    expect(fitLaunchGap(unpaired)).toHaveProperty("reason");
  });
});
