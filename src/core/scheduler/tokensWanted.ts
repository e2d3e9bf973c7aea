import type { Request } from "../request/request.js";
import type { SchedulerConfig } from "./schedulerConfig.js";

/**
 * Tokens a running request gets if blocks allow; ≤ 0 when it has nothing to do in this step.
 * @param numTokensLeft of the step's budget
 */
export function numTokensWanted(request: Request, config: SchedulerConfig, numTokensLeft: number): number {
  const numPlaceholders = request.numOutputPlaceholders;
  const numComputed = request.numComputedTokens;
  // Its last token is in flight already, even if every draft is rejected.
  if (numPlaceholders > 0 && numComputed + 2 - numPlaceholders >= request.numPromptTokens + request.maxTokens) return 0;
  let numWanted = request.numTokens + request.numDraftTokens + numPlaceholders - numComputed;
  const threshold = config.longPrefillTokenThreshold;
  if (threshold > 0 && numWanted > threshold) numWanted = threshold;
  if (numWanted > numTokensLeft) numWanted = numTokensLeft;
  // The token at maxModelLen is generated but never fed back.
  const numToEnd = config.maxModelLen - 1 - numComputed;
  return Math.min(numWanted, numToEnd);
}

/** Tokens a waiting request gets of those it lacks; 0 when they may not be split and exceed what is left of the budget. */
export function numTokensAdmitted(numMissingTokens: number, config: SchedulerConfig, numTokensLeft: number): number {
  const threshold = config.longPrefillTokenThreshold;
  const numWanted = threshold > 0 && numMissingTokens > threshold ? threshold : numMissingTokens;
  if (numWanted <= numTokensLeft) return numWanted;
  return config.enableChunkedPrefill ? numTokensLeft : 0;
}
