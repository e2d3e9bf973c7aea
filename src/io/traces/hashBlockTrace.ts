import type { TokenSegment } from "../../core/request/requestSpec.js";
import { contentId, MAX_CONTENT_INDEX } from "../../core/workload/contentIds.js";
import { jsonlRecords } from "./jsonlRecords.js";
import { MAX_TIME_S, type TraceRecord } from "./traceRecord.js";
import { publishedLengths, type TraceRow, type TraceTally } from "./traceRow.js";

/** How a trace of hashed prompt blocks differs from another. */
export interface HashBlockLayout {
  /** Tokens per hash id. */
  readonly blockTokens: number;
  readonly usPerTimestamp: number;
}

export const MOONCAKE_LAYOUT: HashBlockLayout = { blockTokens: 512, usPerTimestamp: 1e3 };
export const BAILIAN_LAYOUT: HashBlockLayout = { blockTokens: 16, usPerTimestamp: 1e6 };

/**
 * Mooncake and Qwen-Bailian JSONL: `timestamp, input_length, output_length, hash_ids`. Equal ids are equal tokens
 * with equal tokens before them, so each full block becomes a segment with the id's content.
 */
export function* hashBlockRows(file: string, tally: TraceTally, layout: HashBlockLayout): Generator<TraceRow> {
  const maxTimestamp = (MAX_TIME_S * 1e6) / layout.usPerTimestamp;
  const unit = layout.usPerTimestamp === 1e3 ? "milliseconds" : "seconds";
  const firstTurns = new Map<string, string>();
  for (const record of jsonlRecords(file)) {
    tally.numRows++;
    const arrivalUs = Math.round(record.number("timestamp", 0, maxTimestamp, unit) * layout.usPerTimestamp);
    const lengths = publishedLengths(record, "input_length", "output_length", tally);
    if (lengths === null) continue;
    const row = { row: record.row, arrivalUs, ...lengths, ...sessionOf(record, firstTurns) };
    yield record.has("hash_ids")
      ? { ...row, promptSegments: blockSegments(record, lengths.numPromptTokens, layout.blockTokens) }
      : row;
  }
}

/**
 * One segment per block. The last block, when it is not full, has a content of its own for each length: it is only
 * equal to a last block with the same id and the same length.
 */
function blockSegments(record: TraceRecord, numPromptTokens: number, blockTokens: number): TokenSegment[] {
  const ids = record.raw("hash_ids");
  const numBlocks = Math.ceil(numPromptTokens / blockTokens);
  if (!Array.isArray(ids) || ids.length !== numBlocks) {
    const found = Array.isArray(ids) ? `it has ${ids.length}` : "it is no list";
    throw record.error(
      "hash_ids",
      `must be a list of ${numBlocks} block ids, one per ${blockTokens} tokens of input_length ${numPromptTokens}; ${found}`,
    );
  }
  const maxId = Math.floor(MAX_CONTENT_INDEX / blockTokens) - 1;
  const numTailTokens = numPromptTokens % blockTokens;
  return ids.map((id: unknown, block) => {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id > maxId) {
      throw record.error("hash_ids", `must be a list of integers from 0 to ${maxId}; number ${block + 1} is not`);
    }
    if (block === numBlocks - 1 && numTailTokens > 0) {
      return { contentId: contentId("traceTail", id * blockTokens + numTailTokens), numTokens: numTailTokens };
    }
    return { contentId: contentId("traceBlock", id), numTokens: blockTokens };
  });
}

/** Bailian links a turn to the one before by `parent_chat_id` (−1 = none); the first turn names the session. */
function sessionOf(record: TraceRecord, firstTurns: Map<string, string>): { sessionId?: string } {
  if (!record.has("chat_id")) return record.has("session_id") ? { sessionId: record.text("session_id") } : {};
  const chat = record.text("chat_id");
  const parent = record.has("parent_chat_id") ? record.text("parent_chat_id") : "-1";
  const first = parent === "-1" ? chat : (firstTurns.get(parent) ?? parent);
  firstTurns.set(chat, first);
  return { sessionId: first };
}
