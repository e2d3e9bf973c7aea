import { solveSymmetric } from "../../kernels/fit/levenbergMarquardt.js";

/** Rows of numbers, all equally long. */
export type Matrix = readonly (readonly number[])[];

/** The inverse of a symmetric positive definite matrix. O(n³) per column: for small ones. */
export function inverse(matrix: Matrix): number[][] {
  return matrix.map((_, column) =>
    solveSymmetric(
      matrix.map((row) => [...row]),
      matrix.map((_, row) => (row === column ? 1 : 0)),
    ),
  );
}

export function product(a: Matrix, b: Matrix): number[][] {
  return a.map((row) => (b[0] ?? []).map((_, j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)));
}

export function transpose(matrix: Matrix): number[][] {
  return (matrix[0] ?? []).map((_, j) => matrix.map((row) => row[j]!));
}

export function add(a: Matrix, b: Matrix): number[][] {
  return a.map((row, i) => row.map((value, j) => value + b[i]![j]!));
}

/** The matrix times a vector. */
export function times(matrix: Matrix, vector: readonly number[]): number[] {
  return matrix.map((row) => row.reduce((sum, value, i) => sum + value * vector[i]!, 0));
}

/** The rows and columns with the given indices. */
export function selected(matrix: Matrix, indices: readonly number[]): number[][] {
  return indices.map((i) => indices.map((j) => matrix[i]![j]!));
}
