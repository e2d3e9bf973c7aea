import { describe, expect, it } from "vitest";
import { CompiledSurface, type EfficiencySurface } from "../../../../src/core/kernels/efficiencySurface.js";

/** ln factor = 1 at (1,1,·), 2 at (1,4,·), 3 at (16,1,·), 4 at (16,4,·). */
const SURFACE: EfficiencySurface = { knots: [[1, 16], [1, 4], [1]], lnFactors: [1, 2, 3, 4] };

describe("CompiledSurface", () => {
  const surface = new CompiledSurface(SURFACE);

  it("returns the knots' own values", () => {
    expect(Math.log(surface.factor(1, 1, 1))).toBeCloseTo(1, 12);
    expect(Math.log(surface.factor(16, 4, 1))).toBeCloseTo(4, 12);
  });

  it("interpolates in the logarithms", () => {
    expect(Math.log(surface.factor(4, 1, 1))).toBeCloseTo(2, 12);
    expect(Math.log(surface.factor(4, 2, 1))).toBeCloseTo(2.5, 12);
  });

  it("holds the edge value outside, and ignores an axis with a single knot", () => {
    expect(surface.factor(1e-3, 1e-3, 7)).toBe(surface.factor(1, 1, 1));
    expect(surface.factor(1e6, 1e6, 1e-3)).toBe(surface.factor(16, 4, 1));
  });
});
