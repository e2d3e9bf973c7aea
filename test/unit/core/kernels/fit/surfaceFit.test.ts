import { describe, expect, it } from "vitest";
import { CompiledSurface, type EfficiencySurface } from "../../../../../src/core/kernels/efficiencySurface.js";
import { bendToRise, fitSurface, type RisingPrice } from "../../../../../src/core/kernels/fit/surfaceFit.js";

const KNOTS: EfficiencySurface["knots"] = [[1, 4, 16, 64], [1, 8, 64], [1]];
/** A price that rises with the first axis only. */
const RISING: RisingPrice = {
  lnBases: [(lnX) => 0.5 * lnX],
  risingAxes: [0, 1],
  ranges: [
    [1, 64],
    [1, 64],
    [1, 1],
  ],
};

function rowsOf(lnRatio: (x: number, y: number) => number) {
  const x: number[] = [];
  const y: number[] = [];
  for (let i = 1; i <= 64; i += 1) {
    for (let j = 1; j <= 64; j += 7) {
      x.push(i);
      y.push(j);
    }
  }
  return {
    x: Float64Array.from(x),
    y: Float64Array.from(y),
    z: new Float64Array(x.length).fill(1),
    lnRatio: Float64Array.from(x, (value, i) => lnRatio(value, y[i]!)),
    weight: new Float64Array(x.length).fill(1),
  };
}

const OPTIONS = { ridge: 1e-6, smoothness: 1e-6, huberLn: 1, ...RISING };

describe("fitSurface", () => {
  it("finds a correction that is linear in the logarithms", () => {
    const truth = (x: number, y: number) => 0.1 - 0.2 * Math.log(x) + 0.05 * Math.log(y);
    const surface = new CompiledSurface(fitSurface(KNOTS, rowsOf(truth), OPTIONS));
    for (const [x, y] of [
      [1, 1],
      [10, 3],
      [64, 64],
    ] as const) {
      expect(Math.log(surface.factor(x, y, 1))).toBeCloseTo(truth(x, y), 2);
    }
  });

  it("is not steered by a few wild rows", () => {
    const rows = rowsOf((x) => (x === 16 ? 2 : 0));
    const surface = new CompiledSurface(fitSurface(KNOTS, rows, { ...OPTIONS, huberLn: 0.05 }));
    expect(Math.abs(Math.log(surface.factor(16, 8, 1)))).toBeLessThan(0.2);
  });

  it("keeps the price rising where the rows say it falls", () => {
    const { lnFactors } = fitSurface(
      KNOTS,
      rowsOf((x, y) => -Math.log(x) - 0.3 * Math.log(y)),
      OPTIONS,
    );
    expectRising(lnFactors);
    expect(Math.min(...lnFactors)).toBeLessThan(-0.5);
  });
});

describe("bendToRise", () => {
  it("leaves a surface alone that rises already", () => {
    const lnFactors = [0, 0.1, 0.2, -0.5, -0.4, -0.3, -1, -0.9, -0.8, -1.5, -1.4, -1.3];
    expect(bendToRise({ knots: KNOTS, lnFactors }, RISING).lnFactors).toEqual(lnFactors);
  });

  it("removes falls with the least change", () => {
    const lnFactors = [0, 0, 0, 0, 0.4, 0, 0, 0, 0, 0, 0, 0];
    const bent = bendToRise({ knots: KNOTS, lnFactors }, RISING).lnFactors;
    expectRising(bent);
    expect(Math.max(...bent.map((value, i) => Math.abs(value - lnFactors[i]!)))).toBeLessThanOrEqual(0.2 + 1e-9);
  });
});

/** Along x the base gives half an ln unit per ln unit, along y nothing. */
function expectRising(lnFactors: readonly number[]): void {
  const at = (i: number, j: number): number => lnFactors[i * 3 + j]!;
  for (let i = 0; i < 4; i += 1) {
    for (let j = 0; j < 3; j += 1) {
      if (j > 0) expect(at(i, j)).toBeGreaterThanOrEqual(at(i, j - 1) - 1e-9);
      if (i > 0) expect(at(i, j) + 0.5 * Math.log(4)).toBeGreaterThanOrEqual(at(i - 1, j) - 1e-9);
    }
  }
}
