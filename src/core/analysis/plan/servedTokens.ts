import type { RequestSink } from "../../engine/runResult.js";
import type { RequestRecord } from "../../metrics/requestRecord.js";

/** What becomes of a request, on average over those that a run submitted; one that does not complete has no tokens. */
export interface MeanRequest {
  /** Share that complete. */
  readonly completedFraction: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/**
 * Takes the mean over the later half of a run's requests: in the first half of sessions there are too few of their later
 * turns, whose prompts are the longest. Counts, not rates: in these the time in which the last requests drain would count.
 */
export class ServedTokens implements RequestSink {
  readonly #numSkipped: number;
  #numSeen = 0;
  #completed = 0;
  #promptTokens = 0;
  #outputTokens = 0;

  /** @param numRequests that the run will have */
  constructor(numRequests: number) {
    this.#numSkipped = numRequests >> 1;
  }

  /** In order of submission, as a run adds them. */
  add({ status, numPromptTokens, numOutputTokens }: RequestRecord): void {
    if (++this.#numSeen <= this.#numSkipped || status !== "completed") return;
    this.#completed++;
    this.#promptTokens += numPromptTokens;
    this.#outputTokens += numOutputTokens;
  }

  mean(): MeanRequest {
    const count = Math.max(1, this.#numSeen - this.#numSkipped);
    return {
      completedFraction: this.#completed / count,
      promptTokens: this.#promptTokens / count,
      outputTokens: this.#outputTokens / count,
    };
  }
}
