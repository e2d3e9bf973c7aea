import type { RequestSpec } from "../request/requestSpec.js";
import type { RequestDraft } from "./conversation.js";

/** When a workload ends, and how long its clients wait. */
export interface RunLimits {
  /** Requests sent at most; Infinity = no limit. */
  readonly maxRequests: number;
  /** Requests are sent strictly before this time, µs; Infinity = no limit. */
  readonly endUs: number;
  /** Whether requests still in flight at `endUs` are given up (GuideLLM) or may finish. */
  readonly cancelAtEnd: boolean;
  /** Every client gives up this long after sending, µs; Infinity = never. */
  readonly timeoutUs: number;
  /** Priority given to requests that have none of their own (0); lower is more urgent. */
  readonly priority: number;
}

export const NO_LIMITS: RunLimits = {
  maxRequests: Number.POSITIVE_INFINITY,
  endUs: Number.POSITIVE_INFINITY,
  cancelAtEnd: false,
  timeoutUs: Number.POSITIVE_INFINITY,
  priority: 0,
};

/** Sends a draft: fixes its arrival, and the earliest of the reasons for which its client gives up. */
export function sendDraft(draft: RequestDraft, arrivalUs: number, limits: RunLimits): RequestSpec {
  const untilEndUs = limits.cancelAtEnd ? limits.endUs - arrivalUs : Number.POSITIVE_INFINITY;
  const timeoutUs = Math.min(draft.timeoutUs, limits.timeoutUs, untilEndUs);
  // Field by field: a spread of an object takes several times as long, and more memory.
  return {
    id: draft.id,
    arrivalUs,
    promptSegments: draft.promptSegments,
    numPromptTokens: draft.numPromptTokens,
    maxTokens: draft.maxTokens,
    outputContentId: draft.outputContentId,
    priority: draft.priority === 0 ? limits.priority : draft.priority,
    lora: draft.lora,
    timeoutUs,
    sessionId: draft.sessionId,
  };
}
