import type { RequestSpec, TokenSegment } from "../request/requestSpec.js";

/** A request before it is sent: everything but when. */
export type RequestDraft = Omit<RequestSpec, "arrivalUs">;

/** One request of a conversation and, linked behind it, all that follow: a conversation is its first turn. */
export interface Turn {
  readonly draft: RequestDraft;
  /** Pause between the end of the turn before and this one, µs ≥ 0; the first turn's is not used. */
  readonly thinkUs: number;
  /** Sent when this one has ended; null = this was the last. */
  readonly following: Turn | null;
}

/**
 * What clients send, in a fixed order that depends on the seed alone: a conversation is complete when it is handed
 * out, so the speed of the simulated engine never changes what is asked of it.
 */
export interface ConversationSource {
  /** Whether some conversations have more than one turn. */
  readonly hasSessions: boolean;
  /** The first turn of the next conversation, or null when there are no more. */
  next(): Turn | null;
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

/** A prompt that opens with nothing shared. */
export const NO_PREFIX: readonly TokenSegment[] = [];

/**
 * A request of its own, as the conversation that it is.
 * @param prefix shared tokens the prompt opens with, may be empty
 */
export function layOutRequest(id: string, prefix: readonly TokenSegment[], turn: TurnLengths): Turn {
  return { draft: draftOf(id, null, prefix, turn), thinkUs: turn.thinkUs, following: null };
}

/**
 * Lays the turns of a session out as requests: each prompt is all that was said before (prefix, prompts, outputs) plus
 * the new tokens. Their ids are `<name>-turn-<k>` from k = 1; a single turn is a request of its own, `<name>`.
 * @param turns at least one
 */
export function layOutSession(name: string, prefix: readonly TokenSegment[], turns: readonly TurnLengths[]): Turn {
  if (turns.length === 1) return layOutRequest(name, prefix, turns[0]!);
  let history = prefix;
  const drafts = turns.map((turn, k) => {
    const draft = draftOf(`${name}-turn-${k + 1}`, name, history, turn);
    history = [...draft.promptSegments, { contentId: turn.outputContentId, numTokens: turn.numOutputTokens }];
    return draft;
  });
  let following: Turn | null = null;
  for (let k = turns.length - 1; k >= 0; k--) following = { draft: drafts[k]!, thinkUs: turns[k]!.thinkUs, following };
  return following as Turn;
}

function draftOf(
  id: string,
  sessionId: string | null,
  history: readonly TokenSegment[],
  { promptContentId, numPromptTokens, outputContentId, numOutputTokens }: TurnLengths,
): RequestDraft {
  const own: TokenSegment = { contentId: promptContentId, numTokens: numPromptTokens };
  let numTokens = numPromptTokens;
  for (let i = 0; i < history.length; i++) numTokens += history[i]!.numTokens;
  return {
    id,
    promptSegments: history.length === 0 ? [own] : [...history, own],
    numPromptTokens: numTokens,
    maxTokens: numOutputTokens,
    outputContentId,
    priority: 0,
    lora: null,
    timeoutUs: Number.POSITIVE_INFINITY,
    sessionId,
  };
}
