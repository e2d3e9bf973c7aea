import { describe, expect, it } from "vitest";
import { createStream } from "../../../../../src/core/des/streams.js";
import { huberRegression } from "../../../../../src/core/evaluation/calibration/huberRegression.js";

const NUM_ROWS = 400;
const NUM_BLOCKS = 20;

/** y = 5 + 2x + noise, in blocks of which each has an error of its own. */
function rows(blockError: number, outliers: number) {
  const draw = createStream(7, "regression");
  const errors = Array.from({ length: NUM_BLOCKS }, () => blockError * (draw() - 0.5));
  const blocks = Int32Array.from({ length: NUM_ROWS }, (_, i) => Math.floor((i * NUM_BLOCKS) / NUM_ROWS));
  const x = Float64Array.from({ length: NUM_ROWS }, () => draw() - 0.5);
  const y = x.map((value, i) => {
    const outlier = draw() < outliers ? 1000 : 0;
    return 5 + 2 * value + (draw() - 0.5) + errors[blocks[i]!]! + outlier;
  });
  return { y, columns: [new Float64Array(NUM_ROWS).fill(1), x], blocks, numBlocks: NUM_BLOCKS };
}

const standardErrors = (influences: readonly (readonly number[])[]) =>
  [0, 1].map((i) => Math.sqrt(influences.reduce((sum, influence) => sum + influence[i]! ** 2, 0)));

describe("Huber's regression", () => {
  it("finds a line", () => {
    const { coefficients } = huberRegression(rows(0, 0));
    expect(coefficients[0]).toBeCloseTo(5, 1);
    expect(coefficients[1]).toBeCloseTo(2, 0);
  });

  it("is moved little by one row in ten that is a thousand off", () => {
    const { coefficients } = huberRegression(rows(0, 0.1));
    expect(Math.abs(coefficients[0]! - 5)).toBeLessThan(0.2);
  });

  it("gives an exact line back exactly", () => {
    const exact = rows(0, 0);
    const { coefficients, influences } = huberRegression({ ...exact, y: exact.columns[1]!.map((x) => 5 + 2 * x) });
    expect(coefficients[0]).toBeCloseTo(5, 9);
    expect(coefficients[1]).toBeCloseTo(2, 9);
    expect(standardErrors(influences)[0]).toBeCloseTo(0, 9);
  });

  it("has the textbook's standard error where rows are independent", () => {
    // Uniform noise of width 1 has variance 1/12.
    const [intercept] = standardErrors(huberRegression(rows(0, 0)).influences);
    expect(intercept! / Math.sqrt(1 / 12 / NUM_ROWS)).toBeGreaterThan(0.7);
    expect(intercept! / Math.sqrt(1 / 12 / NUM_ROWS)).toBeLessThan(1.4);
  });

  it("counts blocks, not rows, where rows of a block err together", () => {
    const [intercept] = standardErrors(huberRegression(rows(4, 0)).influences);
    const ofBlocks = Math.sqrt(16 / 12 / NUM_BLOCKS);
    expect(intercept! / ofBlocks).toBeGreaterThan(0.6);
    expect(intercept! / ofBlocks).toBeLessThan(1.5);
  });
});
