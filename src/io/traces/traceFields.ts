import type { RequestSpec } from "../../core/request/requestSpec.js";

/** A request as the columns of our own trace; empty text where a column does not apply. */
export interface TraceFields {
  readonly request_id: string;
  readonly session_id: string;
  readonly arrival_s: string;
  readonly prompt_tokens: number;
  readonly max_tokens: number;
  readonly prompt_segments: string;
  readonly output_content: number;
  readonly priority: number;
  readonly lora: string;
  readonly timeout_s: string;
}

/**
 * The columns from which `readTrace` rebuilds this very request (contents renumbered, their equality kept).
 * Arrivals have all six decimals, so µs survive the round trip. A file that is to be read back needs `output_tokens`
 * too, which a result has of its own.
 */
export function traceFields(spec: RequestSpec): TraceFields {
  return {
    request_id: spec.id,
    session_id: spec.sessionId ?? "",
    arrival_s: secondsText(spec.arrivalUs),
    prompt_tokens: spec.numPromptTokens,
    max_tokens: spec.maxTokens,
    prompt_segments: spec.promptSegments.map((segment) => `${segment.contentId}:${segment.numTokens}`).join(" "),
    output_content: spec.outputContentId,
    priority: spec.priority,
    lora: spec.lora ?? "",
    timeout_s: Number.isFinite(spec.timeoutUs) ? secondsText(spec.timeoutUs) : "",
  };
}

/** Integer µs as seconds, exactly. */
function secondsText(timeUs: number): string {
  const wholeS = Math.floor(timeUs / 1e6);
  return `${wholeS}.${String(timeUs - wholeS * 1e6).padStart(6, "0")}`;
}
