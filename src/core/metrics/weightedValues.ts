import { ValueSort } from "./valueSort.js";

/** Values with weights; `weights: null` = each value counts once. */
export interface WeightedValues {
  readonly values: Float64Array;
  readonly weights: Float64Array | null;
}

/** Distinct values, ascending, each with the sum of its weights. */
export interface MergedValues {
  readonly values: Float64Array;
  readonly weights: Float64Array;
}

/**
 * Sorts values and merges equal ones, adding up their weights; weights of 0 and negative ones are kept, NaN values
 * left out. The input is left alone.
 */
export function mergeEqualValues({ values, weights }: WeightedValues): MergedValues {
  const copied = weights === null ? new Float64Array(values.length).fill(1) : weights.slice();
  const sorted = sortPairs(values.slice(), copied);
  return mergeSorted(sorted.values, sorted.weights);
}

/** Merges equal neighbours, adding up their weights, in the place of the arrays. */
export function mergeSorted(values: Float64Array, weights: Float64Array): MergedValues {
  let numDistinct = 0;
  for (let i = 0; i < values.length; i++) {
    if (numDistinct > 0 && values[i] === values[numDistinct - 1]) weights[numDistinct - 1]! += weights[i]!;
    else {
      values[numDistinct] = values[i]!;
      weights[numDistinct++] = weights[i]!;
    }
  }
  return { values: values.subarray(0, numDistinct), weights: weights.subarray(0, numDistinct) };
}

/**
 * Sorts values in place, each with its weight; equal values keep their order.
 * @returns the sorted part of the arrays: NaN is left out, −0 becomes 0
 */
export function sortPairs(values: Float64Array, weights: Float64Array, sorter = new ValueSort()): MergedValues {
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i]!)) continue;
    weights[count] = weights[i]!;
    values[count++] = values[i]! + 0;
  }
  const kept = { values: values.subarray(0, count), weights: weights.subarray(0, count) };
  sorter.sort(kept.values, kept.weights);
  return kept;
}

/** Sorts numbers in place. @returns the sorted part of the array: NaN is left out, −0 becomes 0 */
export function sortNumbers(values: Float64Array, sorter = new ValueSort()): Float64Array {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i]!)) values[count++] = values[i]! + 0;
  const kept = values.subarray(0, count);
  sorter.sort(kept, null);
  return kept;
}

/** The numbers in ascending order, without NaN; −0 becomes 0. The input is left alone. */
export function sortedNumbers(values: ArrayLike<number>): Float64Array {
  return sortNumbers(new Float64Array(values));
}

/** Index of the first entry ≥ `limit` in an ascending array whose last entry is. */
export function firstAtLeast(ascending: Float64Array, limit: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! >= limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
