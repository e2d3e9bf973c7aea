import type { KvCache } from "../kv/kvCache.js";
import type { RequestSpec } from "../request/requestSpec.js";
import type { SchedulerConfig } from "./schedulerConfig.js";

/** What decides whether a request can ever run: a `RequestSpec` or a `Request`. */
export type RequestLengths = Pick<RequestSpec, "numPromptTokens" | "maxTokens">;

/**
 * Why a request can never be served, in words for its client; null when it can.
 * vLLM's server refuses the first four; the last would make its engine preempt and retry for ever.
 */
export function rejectionReason(lengths: RequestLengths, config: SchedulerConfig, kv: KvCache): string | null {
  const { numPromptTokens, maxTokens } = lengths;
  if (!(numPromptTokens >= 1)) return "the prompt is empty";
  if (!(maxTokens >= 1)) return `maxTokens is ${maxTokens}, must be ≥ 1`;
  if (numPromptTokens >= config.maxModelLen) {
    return `the prompt has ${numPromptTokens} tokens, maxModelLen ${config.maxModelLen} leaves no room for output`;
  }
  if (!config.enableChunkedPrefill && numPromptTokens > config.maxNumBatchedTokens) {
    return `the prompt has ${numPromptTokens} tokens, more than maxNumBatchedTokens ${config.maxNumBatchedTokens}, and chunked prefill is off`;
  }
  const numTokens = Math.min(numPromptTokens + maxTokens + numDraftSlots(config), config.maxModelLen);
  const numBlocks = kv.maxBlocksHeld(numTokens, config.maxNumBatchedTokens);
  const numUsable = kv.numUsableBlocks - config.watermarkBlocks;
  if (numBlocks > numUsable) {
    return `${numTokens} tokens need ${numBlocks} KV blocks, more than the ${numUsable} of the whole cache`;
  }
  return null;
}

/**
 * Slots a drafter with KV of its own needs beyond the last token of a prompt's final chunk. Without them that chunk
 * could never be placed; drafts to verify need none, a preempted request resumes without any.
 */
function numDraftSlots(config: SchedulerConfig): number {
  return config.specUsesDraftKv ? config.numSpecTokens : 0;
}
