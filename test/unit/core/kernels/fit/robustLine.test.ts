import { describe, expect, it } from "vitest";
import { robustLine } from "../../../../../src/core/kernels/fit/robustLine.js";

const SIZES = [1, 2, 4, 8, 16, 32, 64, 128];
const onLine = SIZES.map((x) => ({ x, y: 5 + 0.25 * x }));

describe("robustLine", () => {
  it("finds the line that points lie on, in any order", () => {
    for (const points of [onLine, [...onLine].reverse()]) {
      const line = robustLine(points)!;
      expect(line.slope).toBeCloseTo(0.25, 12);
      expect(line.intercept).toBeCloseTo(5, 12);
    }
  });

  it("is not moved by a quarter of the points, however far off", () => {
    const points = onLine.map(({ x, y }, i) => ({ x, y: i % 4 === 1 ? 1000 * y : y }));
    const line = robustLine(points)!;
    expect(line.slope).toBeCloseTo(0.25, 12);
    expect(line.intercept).toBeCloseTo(5, 12);
  });

  it("takes the median of repeats at the same x", () => {
    const points = onLine.flatMap(({ x, y }) => [
      { x, y: y * 0.99 },
      { x, y },
      { x, y: 7 * y },
    ]);
    expect(robustLine(points)!.slope).toBeCloseTo(0.25, 12);
  });

  it("has no line through points that are not a factor of two apart", () => {
    expect(robustLine([])).toBeNull();
    expect(robustLine([{ x: 3, y: 1 }])).toBeNull();
    const near = [100, 120, 199].map((x) => ({ x, y: x }));
    expect(robustLine(near)).toBeNull();
    expect(robustLine([...near, { x: 200, y: 200 }])!.slope).toBe(1);
  });
});
