import type { PrefillChunk } from "./operator.js";

/**
 * (query, key) pairs of a causal prefill chunk: its i-th new token (from 1) sees min(context + i, window) keys.
 * @param slidingWindow tokens a query sees, itself included; 0 = all
 */
export function attendedPairs(chunk: PrefillChunk, slidingWindow: number): number {
  const { newTokens, contextTokens } = chunk;
  if (slidingWindow === 0) return triangle(newTokens, contextTokens);
  const belowWindow = Math.min(newTokens, Math.max(0, slidingWindow - contextTokens));
  return triangle(belowWindow, contextTokens) + (newTokens - belowWindow) * slidingWindow;
}

/** KV tokens a prefill chunk has to read: the context its window reaches, and the chunk itself. */
export function prefillKvTokens(chunk: PrefillChunk, slidingWindow: number): number {
  return visibleContextTokens(chunk.contextTokens, slidingWindow) + chunk.newTokens;
}

/** KV tokens a decode reads: its context (the new token included), as far as the window reaches. */
export function decodeKvTokens(contextTokens: number, slidingWindow: number): number {
  return slidingWindow === 0 ? contextTokens : Math.min(contextTokens, slidingWindow);
}

function visibleContextTokens(contextTokens: number, slidingWindow: number): number {
  return slidingWindow === 0 ? contextTokens : Math.min(contextTokens, slidingWindow - 1);
}

function triangle(newTokens: number, contextTokens: number): number {
  return newTokens * contextTokens + (newTokens * (newTokens + 1)) / 2;
}
