import type { VllmVersion } from "../config/vllmVersion.js";

/** vLLM captures no graph for more tokens than this unless told to. */
const MAX_CAPTURE_TOKENS = 512;
/** From here on newer versions capture every 16 tokens. */
const COARSE_FROM_TOKENS = 256;

/**
 * Numbers of tokens vLLM captures CUDA graphs for by default, ascending. A step is padded up to the next one.
 * @param numSpecTokens drafts per request; 0 = no speculative decoding
 * @returns sizes before `roundToDecodeLength`
 * @see vLLM config: compilation `cudagraph_capture_sizes`
 */
export function cudaGraphCaptureSizes(
  version: VllmVersion,
  maxNumSeqs: number,
  maxNumBatchedTokens: number,
  numSpecTokens: number,
): readonly number[] {
  const decodeLength = countsDraftsInMax(version) ? 1 + numSpecTokens : 1;
  const maxTokens = Math.min(2 * maxNumSeqs * decodeLength, MAX_CAPTURE_TOKENS, maxNumBatchedTokens);
  const coarseFrom = version === "0.11.0" ? Number.POSITIVE_INFINITY : COARSE_FROM_TOKENS;
  const sizes = [1, 2, 4].filter((size) => size <= maxTokens);
  for (let size = 8; size <= maxTokens; size += size < coarseFrom ? 8 : 16) sizes.push(size);
  return sizes;
}

/**
 * Sizes as captured for steps in which every request verifies drafts: multiples of the tokens one decode takes,
 * none above the largest size.
 */
export function roundToDecodeLength(sizes: readonly number[], numSpecTokens: number): readonly number[] {
  const decodeLength = 1 + numSpecTokens;
  const largest = sizes[sizes.length - 1] ?? 0;
  const rounded = sizes.map((size) => Math.ceil(size / decodeLength) * decodeLength);
  return [...new Set(rounded)].filter((size) => size <= largest);
}

/** Tokens the GPU computes for a step of `numTokens`: the next captured size, or null when no graph is that large. */
export function padToCaptureSize(sizes: readonly number[], numTokens: number): number | null {
  let low = 0;
  let high = sizes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sizes[middle]! < numTokens) low = middle + 1;
    else high = middle;
  }
  return sizes[low] ?? null;
}

function countsDraftsInMax(version: VllmVersion): boolean {
  return version !== "0.11.0" && version !== "0.11.1" && version !== "0.12";
}
