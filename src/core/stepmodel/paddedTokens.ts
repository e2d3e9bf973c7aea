/**
 * Rows the linear layers run over: the smallest CUDA graph size that holds the step, or the step itself when it is
 * larger than every graph.
 * @param captureSizes ascending
 */
export function paddedTokens(numTokens: number, captureSizes: readonly number[]): number {
  let low = 0;
  let high = captureSizes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (captureSizes[middle]! >= numTokens) high = middle;
    else low = middle + 1;
  }
  return captureSizes[low] ?? numTokens;
}
