import { solveSymmetric } from "../../kernels/fit/levenbergMarquardt.js";
import { sortedPercentile } from "../../metrics/distribution.js";
import { sortedNumbers } from "../../metrics/weightedValues.js";

/** Residuals beyond this many standard deviations count linearly: 95 % as sharp as least squares on normal errors. */
const HUBER_LIMIT = 1.345;
/** Median absolute deviation of a normal distribution in standard deviations, inverted. */
const MAD_TO_STDDEV = 1.4826;
const MAX_ITERATIONS = 50;

/** Rows of a regression, in columns. */
export interface RegressionRows {
  readonly y: Float64Array;
  /** One array per coefficient, each parallel to `y`. */
  readonly columns: readonly Float64Array[];
  /** Block of each row, 0 to `numBlocks` − 1. */
  readonly blocks: Int32Array;
  readonly numBlocks: number;
}

export interface RobustFit {
  readonly coefficients: readonly number[];
  /** `[block][coefficient]`: what each block adds to the coefficients; their products sum to the covariance. */
  readonly influences: readonly (readonly number[])[];
}

/**
 * Huber's regression by reweighting, with the influence of each block of rows on the result: a covariance from those
 * holds however rows of one block depend on each other (a cluster-robust sandwich).
 * @param rows at least as many as coefficients; columns linearly independent
 */
export function huberRegression(rows: RegressionRows): RobustFit {
  const { y, columns } = rows;
  let weights = new Float64Array(y.length).fill(1);
  let coefficients: number[] = [sortedPercentile(sortedNumbers(y), 0.5), ...columns.slice(1).map(() => 0)];
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    weights = huberWeights(residualsOf(rows, coefficients));
    const next = solveSymmetric(normalMatrix(columns, weights), scores(columns, weights, y));
    const isSettled = next.every((value, i) => Math.abs(value - coefficients[i]!) <= 1e-9 * (1 + Math.abs(value)));
    coefficients = next;
    if (isSettled) break;
  }
  return { coefficients, influences: blockInfluences(rows, coefficients, weights) };
}

function residualsOf({ y, columns }: RegressionRows, coefficients: readonly number[]): Float64Array {
  return y.map((value, row) => columns.reduce((rest, column, i) => rest - column[row]! * coefficients[i]!, value));
}

function huberWeights(residuals: Float64Array): Float64Array<ArrayBuffer> {
  const limit = HUBER_LIMIT * MAD_TO_STDDEV * sortedPercentile(sortedNumbers(residuals.map(Math.abs)), 0.5);
  return Float64Array.from(residuals, (residual) => (Math.abs(residual) <= limit ? 1 : limit / Math.abs(residual)));
}

function normalMatrix(columns: readonly Float64Array[], weights: Float64Array): number[][] {
  return columns.map((a) =>
    columns.map((b) => weights.reduce((sum, weight, row) => sum + weight * a[row]! * b[row]!, 0)),
  );
}

function scores(columns: readonly Float64Array[], weights: Float64Array, y: Float64Array): number[] {
  return columns.map((column) => weights.reduce((sum, weight, row) => sum + weight * column[row]! * y[row]!, 0));
}

function blockInfluences(rows: RegressionRows, coefficients: readonly number[], weights: Float64Array): number[][] {
  const { columns, blocks, numBlocks } = rows;
  const residuals = residualsOf(rows, coefficients);
  const sums = Array.from({ length: numBlocks }, () => columns.map(() => 0));
  residuals.forEach((residual, row) => {
    const sum = sums[blocks[row]!]!;
    columns.forEach((column, i) => {
      sum[i]! += weights[row]! * column[row]! * residual;
    });
  });
  const few = Math.sqrt(numBlocks / Math.max(1, numBlocks - 1));
  return sums.map((sum) => solveSymmetric(normalMatrix(columns, weights), sum).map((value) => value * few));
}
