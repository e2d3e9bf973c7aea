import type { KvCache } from "../kv/kvCache.js";
import type { ScheduledStep } from "./scheduledStep.js";
import type { SchedulerConfig } from "./schedulerConfig.js";

/**
 * Gives a sampled row's tokens to its request: one, and one more per accepted draft, up to the stop.
 * A request preempted since keeps them too, and computes them again when it resumes.
 * @returns whether the request has all its tokens now
 */
export function deliverTokens(step: ScheduledStep, row: number, config: SchedulerConfig, kv: KvCache): boolean {
  const { asyncScheduling, numSpecTokens, maxModelLen } = config;
  const request = step.requests[row]!;
  const numDraftTokens = step.numDraftTokens[row]!;
  const wasPreempted = request.numPreemptions !== step.numPreemptionsBefore[row];
  let numAccepted = 0;
  if (numDraftTokens > 0) {
    if (request.drawAcceptedDrafts !== null) numAccepted = Math.min(request.drawAcceptedDrafts(), numDraftTokens);
    if (!wasPreempted) request.numComputedTokens -= numDraftTokens - numAccepted;
  }
  if (asyncScheduling) request.numOutputPlaceholders -= 1 + numDraftTokens;
  const numToFinish = Math.min(request.maxTokens - request.numOutputTokens, maxModelLen - request.numTokens);
  const numTokensOut = Math.min(1 + numAccepted, numToFinish);
  request.numOutputTokens += numTokensOut;
  step.numTokensOut[row] = numTokensOut;
  if (asyncScheduling && !wasPreempted) {
    // Blocks full of generated tokens could not be identified when the step was planned.
    const numSettled = request.numComputedTokens - request.numOutputPlaceholders;
    kv.register(request.kv, Math.min(numSettled, request.numTokens));
  }
  if (numTokensOut === numToFinish) return true;
  if (!asyncScheduling && !wasPreempted) request.numDraftTokens = numSpecTokens;
  return false;
}
