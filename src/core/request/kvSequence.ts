import type { TokenSegment } from "./requestSpec.js";

/**
 * A request's tokens as the KV cache knows them: which tokens they are, and how many blocks hold their keys and values.
 * Plain data; the cache reads and writes it and never sees the request itself.
 */
export class KvSequence {
  /** Tokens of the prompt, in order. */
  readonly promptSegments: readonly TokenSegment[];
  /** Content whose tokens follow the prompt: what the request generates. */
  readonly outputContentId: number;
  /** Part of every block's identity besides its tokens: the LoRA adapter, null for the base model. */
  readonly adapter: string | null;

  /** Blocks it holds; of a member of the lockstep, as it joined. */
  numBlocks = 0;
  /** Leading blocks of these that are known to the prefix cache. */
  numRegisteredBlocks = 0;
  /** What its cache keeps with it; of a type that only this cache knows. */
  cacheState: object | null = null;

  constructor(promptSegments: readonly TokenSegment[], outputContentId: number, adapter: string | null) {
    this.promptSegments = promptSegments;
    this.outputContentId = outputContentId;
    this.adapter = adapter;
  }
}
