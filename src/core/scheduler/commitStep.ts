import type { ScheduledStep } from "./scheduledStep.js";
import type { SchedulerConfig } from "./schedulerConfig.js";

/**
 * Ends the planning of a step: counts its tokens as computed, decides which rows yield, and fills the batch.
 * A row yields when it reaches the last known token (and verifies drafts beyond it); an earlier chunk's sample is thrown away.
 */
export function commitStep(step: ScheduledStep, config: SchedulerConfig): void {
  const { asyncScheduling, numSpecTokens } = config;
  const batch = step.batch;
  for (let row = 0; row < step.numRows; row++) {
    const request = step.requests[row]!;
    const numNewTokens = step.numNewTokens[row]!;
    const numDraftTokens = step.numDraftTokens[row]!;
    const numContextTokens = request.numComputedTokens;
    // Resumed with three steps or more in flight, an old token may come beside a new one: two to compute, no decode.
    const isDecode = numContextTokens >= request.numPrefillTokens && numNewTokens === 1 + numDraftTokens;
    batch.push(numNewTokens, numContextTokens, isDecode);
    request.numComputedTokens = numContextTokens + numNewTokens;
    step.numPreemptionsBefore[row] = request.numPreemptions;
    const numToReach = request.numTokens + request.numOutputPlaceholders + numDraftTokens;
    if (request.numComputedTokens !== numToReach) {
      step.isSampled[row] = 0;
      continue;
    }
    step.isSampled[row] = 1;
    batch.numSampled += 1 + numDraftTokens;
    if (asyncScheduling) {
      request.numOutputPlaceholders += 1 + numDraftTokens;
      request.numDraftTokens = numSpecTokens;
    }
  }
}
