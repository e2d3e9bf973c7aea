import { decodeKvTokens } from "./attentionSpan.js";
import type { TokenShapes } from "./operator.js";

/** The part of a step's shapes that attention depends on. */
export type AttentionTokens = Pick<TokenShapes, "prefillChunks" | "decodeContextTokens">;

/** What the price of decode attention depends on: the number of rows, and the KV tokens that they read. */
export interface DecodeTotals {
  readonly numRequests: number;
  readonly sumContextTokens: number;
  readonly maxContextTokens: number;
}

const NO_DECODES: DecodeTotals = { numRequests: 0, sumContextTokens: 0, maxContextTokens: 0 };

/**
 * @param contextTokens of each row, the token being computed included
 * @param others further rows, whose contexts are known to be within the window
 */
export function decodeTotals(
  contextTokens: readonly number[],
  slidingWindow: number,
  others: DecodeTotals = NO_DECODES,
): DecodeTotals {
  let { sumContextTokens, maxContextTokens } = others;
  for (const context of contextTokens) {
    const kvTokens = decodeKvTokens(context, slidingWindow);
    sumContextTokens += kvTokens;
    maxContextTokens = Math.max(maxContextTokens, kvTokens);
  }
  return { numRequests: others.numRequests + contextTokens.length, sumContextTokens, maxContextTokens };
}
