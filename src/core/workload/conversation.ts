import type { RequestSpec, TokenSegment } from "../request/requestSpec.js";

/** A request before it is sent: everything but when. */
export type RequestDraft = Omit<RequestSpec, "arrivalUs">;

/** One request of a conversation. */
export interface Turn {
  readonly draft: RequestDraft;
  /** Pause between the end of the previous turn and this one, µs ≥ 0; the first turn's is not used. */
  readonly thinkUs: number;
}

/** Requests of one client that follow each other; a single request is a conversation of one turn. */
export interface Conversation {
  /** At least one. */
  readonly turns: readonly Turn[];
}

/**
 * What clients send, in a fixed order that depends on the seed alone: a conversation is complete when it is handed
 * out, so the speed of the simulated engine never changes what is asked of it.
 */
export interface ConversationSource {
  /** The next conversation, or null when there are no more. */
  next(): Conversation | null;
}

/** What one turn adds to a conversation. */
export interface TurnLengths {
  readonly promptContentId: number;
  /** New tokens the user adds, ≥ 1. */
  readonly numPromptTokens: number;
  readonly outputContentId: number;
  readonly numOutputTokens: number;
  readonly thinkUs: number;
}

/**
 * Lays turns out as requests: each prompt is all that was said before (prefix, prompts, outputs) plus the new tokens.
 * @param name id of a single-turn request; turns of a longer conversation are `<name>-turn-<k>` from k = 1
 * @param prefix shared tokens the conversation opens with, may be empty
 */
export function layOutConversation(
  name: string,
  prefix: readonly TokenSegment[],
  turns: readonly TurnLengths[],
): Conversation {
  const isSession = turns.length > 1;
  let history = prefix;
  return {
    turns: turns.map((turn, k) => {
      const segments = [...history, { contentId: turn.promptContentId, numTokens: turn.numPromptTokens }];
      history = [...segments, { contentId: turn.outputContentId, numTokens: turn.numOutputTokens }];
      const draft: RequestDraft = {
        id: isSession ? `${name}-turn-${k + 1}` : name,
        promptSegments: segments,
        numPromptTokens: segments.reduce((sum, segment) => sum + segment.numTokens, 0),
        maxTokens: turn.numOutputTokens,
        outputContentId: turn.outputContentId,
        priority: 0,
        lora: null,
        timeoutUs: Number.POSITIVE_INFINITY,
        sessionId: isSession ? name : null,
      };
      return { draft, thinkUs: turn.thinkUs };
    }),
  };
}
