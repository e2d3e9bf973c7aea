/**
 * A run of tokens with an identity: token i of content c is the same token wherever (c, i) appears.
 * Prompts are lists of segments, so shared prefixes, repeated prompts, multi-turn history and hashed trace blocks
 * all say which tokens are equal without any text.
 */
export interface TokenSegment {
  /** Identity of the content, a safe integer ≥ 0. */
  readonly contentId: number;
  /** Tokens taken from the start of the content, ≥ 1. */
  readonly numTokens: number;
}

/** A request as the client sends it: what a trace row or a generator yields. */
export interface RequestSpec {
  readonly id: string;
  /** When the client sends it, integer µs from the start of the run. */
  readonly arrivalUs: number;
  readonly promptSegments: readonly TokenSegment[];
  /** Σ of the segments' tokens, ≥ 1. */
  readonly numPromptTokens: number;
  /** Tokens it will generate unless max-model-len stops it first, ≥ 1 (EOS is ignored). */
  readonly maxTokens: number;
  /** Identity of the tokens it generates, so that a later turn can repeat them. */
  readonly outputContentId: number;
  /** Lower is more urgent; only the priority policy looks. */
  readonly priority: number;
  /** LoRA adapter, or null for the base model. */
  readonly lora: string | null;
  /** The client gives up this long after sending, µs; Infinity = never. */
  readonly timeoutUs: number;
  /** Conversation it belongs to, or null. */
  readonly sessionId: string | null;
}

/** Fills a spec's seldom-used fields. */
export function requestSpec(
  fields: Pick<RequestSpec, "id" | "arrivalUs" | "promptSegments" | "maxTokens" | "outputContentId"> &
    Partial<RequestSpec>,
): RequestSpec {
  let numPromptTokens = 0;
  for (const segment of fields.promptSegments) numPromptTokens += segment.numTokens;
  return {
    id: fields.id,
    arrivalUs: fields.arrivalUs,
    promptSegments: fields.promptSegments,
    numPromptTokens,
    maxTokens: fields.maxTokens,
    outputContentId: fields.outputContentId,
    priority: fields.priority ?? 0,
    lora: fields.lora ?? null,
    timeoutUs: fields.timeoutUs ?? Number.POSITIVE_INFINITY,
    sessionId: fields.sessionId ?? null,
  };
}
