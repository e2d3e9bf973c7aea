import { type RequestSpec, requestSpec, type TokenSegment } from "../../core/request/requestSpec.js";
import { contentId } from "../../core/workload/contentIds.js";
import type { TraceRow } from "./traceRow.js";

/**
 * A trace's row as a request.
 * @param index place among the rows, from 0; names the request and its own contents where the row does not
 * @param sharedPrefixTokens tokens all prompts open with where the row says nothing of its contents
 */
export function traceSpec(row: TraceRow, index: number, arrivalUs: number, sharedPrefixTokens: number): RequestSpec {
  return requestSpec({
    id: row.id ?? `req-${index}`,
    arrivalUs,
    promptSegments: row.promptSegments ?? plainPrompt(row, index, sharedPrefixTokens),
    maxTokens: row.maxTokens,
    outputContentId: row.outputContentId ?? contentId("output", index),
    priority: row.priority ?? 0,
    lora: row.lora ?? null,
    timeoutUs: row.timeoutUs ?? Number.POSITIVE_INFINITY,
    sessionId: row.sessionId ?? null,
  });
}

/** The prefix, if any, then tokens that occur nowhere else. */
function plainPrompt(row: TraceRow, index: number, sharedPrefixTokens: number): TokenSegment[] {
  const prefix = row.prefix ?? { contentId: contentId("prefix", 0), numTokens: sharedPrefixTokens };
  const numShared = Math.min(prefix.numTokens, row.numPromptTokens);
  const numOwn = row.numPromptTokens - numShared;
  const segments: TokenSegment[] = [];
  if (numShared > 0) segments.push({ contentId: prefix.contentId, numTokens: numShared });
  if (numOwn > 0) segments.push({ contentId: contentId("prompt", index), numTokens: numOwn });
  return segments;
}
