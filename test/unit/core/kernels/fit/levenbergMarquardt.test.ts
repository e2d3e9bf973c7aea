import { describe, expect, it } from "vitest";
import { fitLogParameters, solveSymmetric } from "../../../../../src/core/kernels/fit/levenbergMarquardt.js";

describe("fitLogParameters", () => {
  const sizes = Array.from({ length: 60 }, (_, i) => 1.2 ** i);
  const affine = ([launch, perUnit]: readonly number[], row: number): number => launch! + perUnit! * sizes[row]!;
  const observed = Float64Array.from(sizes, (_, row) => affine([4, 0.02], row));
  const weights = new Float64Array(sizes.length).fill(1);

  it("recovers the constants of an affine time from a poor start", () => {
    const [launch, perUnit] = fitLogParameters([50, 1], observed, weights, affine, { priorWeight: 0 });
    expect(launch).toBeCloseTo(4, 4);
    expect(perUnit).toBeCloseTo(0.02, 6);
  });

  it("shrugs off an outlier", () => {
    const spiked = observed.map((us, row) => (row === 20 ? us * 30 : us));
    const [launch] = fitLogParameters([50, 1], spiked, weights, affine, { priorWeight: 0, huberLn: 0.05 });
    expect(Math.abs(launch! / 4 - 1)).toBeLessThan(0.02);
  });

  it("ignores rows of no weight", () => {
    const half = weights.map((_, row) => (row < 30 ? 1 : 0));
    const wrong = observed.map((us, row) => (row < 30 ? us : us * 3));
    const [launch, perUnit] = fitLogParameters([5, 0.1], wrong, half, affine, { priorWeight: 0 });
    expect(launch).toBeCloseTo(4, 3);
    expect(perUnit).toBeCloseTo(0.02, 4);
  });
});

describe("solveSymmetric", () => {
  it("solves a positive definite system", () => {
    const [x, y, z] = solveSymmetric(
      [
        [4, 2, 0],
        [2, 5, 1],
        [0, 1, 3],
      ],
      [8, 15, 11],
    );
    expect([4 * x! + 2 * y!, 2 * x! + 5 * y! + z!, y! + 3 * z!].map((v) => Math.round(v * 1e9) / 1e9)).toEqual([
      8, 15, 11,
    ]);
  });
});
