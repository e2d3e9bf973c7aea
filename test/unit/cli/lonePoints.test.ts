import { expect, it } from "vitest";
import { lonePointsLine } from "../../../src/cli/lonePoints.js";
import type { PointName } from "../../../src/core/analysis/diff/sweepDiff.js";

const point = (gpu: string, rate: number): PointName => ({
  label: `gpu=${gpu}, poisson ${rate}/s`,
  varied: { gpu },
  strategy: "poisson",
  rate,
  streams: null,
});

it("sums up many lone points of a side in one line: each axis once, loads by their ends", () => {
  const points = ["H100", "L40S"].flatMap((gpu) => [1, 2, 4, 8, 16].map((rate) => point(gpu, rate)));
  expect(lonePointsLine("A", points)).toBe("only A measured 10 points: gpu H100, L40S; poisson 1 to 16/s\n");
  expect(lonePointsLine("B", points.slice(0, 1))).toBe("only B measured gpu=H100, poisson 1/s\n");
  expect(lonePointsLine("B", [])).toBe("");
});
