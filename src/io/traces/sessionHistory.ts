import type { RequestSpec, TokenSegment } from "../../core/request/requestSpec.js";

interface History {
  readonly segments: readonly TokenSegment[];
  readonly numTokens: number;
}

/**
 * Makes the prompts of a session repeat what was said before: a prompt longer than the session's history so far is
 * that history and then its own tokens; a shorter one starts the history afresh.
 * @param specs sorted by arrival; only plain prompts (one segment) are rewritten
 */
export function shareSessionHistory(specs: readonly RequestSpec[]): RequestSpec[] {
  const histories = new Map<string, History>();
  return specs.map((spec) => {
    if (spec.sessionId === null) return spec;
    const shared = behindHistory(spec, histories.get(spec.sessionId));
    histories.set(spec.sessionId, {
      segments: [...shared.promptSegments, { contentId: spec.outputContentId, numTokens: spec.maxTokens }],
      numTokens: spec.numPromptTokens + spec.maxTokens,
    });
    return shared;
  });
}

function behindHistory(spec: RequestSpec, history: History | undefined): RequestSpec {
  const [own] = spec.promptSegments;
  if (history === undefined || own === undefined || spec.promptSegments.length > 1) return spec;
  const numOwnTokens = spec.numPromptTokens - history.numTokens;
  if (numOwnTokens < 1) return spec;
  return { ...spec, promptSegments: [...history.segments, { contentId: own.contentId, numTokens: numOwnTokens }] };
}
