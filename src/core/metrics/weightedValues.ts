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
 * left out. Sorting plain numbers natively and finding each weight's place by bisection is several times faster than
 * sorting indices with a comparator. O(n log n); the input is left alone.
 */
export function mergeEqualValues({ values, weights }: WeightedValues): MergedValues {
  const sorted = sortedNumbers(values);
  let numDistinct = 0;
  const runLengths = new Float64Array(sorted.length);
  for (let i = 0; i < sorted.length; i++) {
    if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[numDistinct++] = sorted[i]!;
    runLengths[numDistinct - 1]! += 1;
  }
  const distinct = sorted.subarray(0, numDistinct);
  if (weights === null) return { values: distinct, weights: runLengths.subarray(0, numDistinct) };
  const sums = new Float64Array(numDistinct);
  for (let i = 0; i < values.length; i++) {
    if (!Number.isNaN(values[i]!)) sums[firstAtLeast(distinct, values[i]!)]! += weights[i]!;
  }
  return { values: distinct, weights: sums };
}

/** The numbers in ascending order, without NaN; −0 becomes 0. */
export function sortedNumbers(values: ArrayLike<number>): Float64Array {
  const sorted = new Float64Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isNaN(value)) sorted[count++] = value + 0;
  }
  return sorted.subarray(0, count).sort();
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
