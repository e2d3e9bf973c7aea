import { nearestName } from "../../core/config/nearestName.js";
import { DataFileError } from "../../core/errors/simulationError.js";
import type { TokenSegment } from "../../core/request/requestSpec.js";
import { NamedContents } from "../../core/workload/contentIds.js";
import { MAX_TOKENS } from "../../core/workload/lengthConfig.js";
import { REQUEST_COLUMNS } from "../results/requestTable.js";
import { MAX_TIME_S, type TraceRecord } from "./traceRecord.js";
import type { TraceRow, TraceTally } from "./traceRow.js";

/**
 * Our own trace, the same columns in CSV and (as keys) in JSONL. Only the first three are required.
 *
 * | column | meaning |
 * |---|---|
 * | `arrival_s` | when the request is sent, seconds from the start of the run |
 * | `prompt_tokens` | whole prompt, shared parts included |
 * | `output_tokens` | tokens it generates |
 * | `max_tokens` | tokens it asked for, where that differs (an aborted request in a result file); wins over `output_tokens` |
 * | `request_id` | default `req-0`, `req-1`, … in order of arrival |
 * | `prefix_id`, `prefix_tokens` | the prompt opens with so many tokens that it shares with every row of this prefix id |
 * | `prompt_segments` | the whole prompt as `content:tokens` pairs separated by spaces (JSONL: `[[content, tokens], …]`); equal contents are equal tokens |
 * | `output_content` | content of the output, so that later prompts can repeat it |
 * | `session_id`, `priority`, `lora`, `timeout_s` | conversation, urgency (lower first), adapter, client's patience |
 */
export const OWN_TRACE_COLUMNS = [
  "arrival_s",
  "prompt_tokens",
  "output_tokens",
  "max_tokens",
  "request_id",
  "prefix_id",
  "prefix_tokens",
  "prompt_segments",
  "output_content",
  "session_id",
  "priority",
  "lora",
  "timeout_s",
] as const;

export const OWN_TRACE_REQUIRED_COLUMNS = ["arrival_s", "prompt_tokens", "output_tokens"] as const;

/** Columns read here, and those of our own result files that say what came out, not what was asked. */
const KNOWN_COLUMNS: ReadonlySet<string> = new Set([...OWN_TRACE_COLUMNS, ...REQUEST_COLUMNS]);

/** Reads rows of our own trace from CSV or JSONL records. */
export function* ownRows(records: Iterable<TraceRecord>, tally: TraceTally): Generator<TraceRow> {
  const contents = new NamedContents();
  const seenColumns = new Set<string>();
  for (const record of records) {
    tally.numRows++;
    checkColumns(record, seenColumns, tally);
    yield readRow(record, contents);
  }
}

/** Refuses columns that look like a misspelt one of ours; others are told once and not read. */
function checkColumns(record: TraceRecord, seen: Set<string>, tally: TraceTally): void {
  const columns = record.columns();
  for (const column of columns) {
    if (seen.has(column)) continue;
    seen.add(column);
    if (KNOWN_COLUMNS.has(column)) continue;
    const nearest = nearestName(column, OWN_TRACE_COLUMNS);
    if (nearest !== null && !columns.includes(nearest)) {
      const location = { file: record.file, row: record.row, column };
      throw new DataFileError(location, `unknown column; did you mean ${nearest}?`);
    }
    tally.warn(`column ${column} is not read`);
  }
}

function readRow(record: TraceRecord, contents: NamedContents): TraceRow {
  const numPromptTokens = record.tokens("prompt_tokens", 1);
  return {
    row: record.row,
    arrivalUs: Math.round(record.number("arrival_s", 0, MAX_TIME_S, "seconds") * 1e6),
    numPromptTokens,
    maxTokens: record.tokens(record.has("max_tokens") ? "max_tokens" : "output_tokens", 1),
    ...(record.has("prompt_segments")
      ? { promptSegments: givenSegments(record, contents, numPromptTokens) }
      : prefixOf(record, contents, numPromptTokens)),
    ...(record.has("output_content")
      ? {
          outputContentId: contents.idOf(
            `content ${record.integer("output_content", 0, Number.MAX_SAFE_INTEGER, "a content")}`,
          ),
        }
      : {}),
    ...(record.has("request_id") ? { id: record.text("request_id") } : {}),
    ...(record.has("session_id") ? { sessionId: record.text("session_id") } : {}),
    ...(record.has("priority") ? { priority: record.integer("priority", -1e6, 1e6, "lower is more urgent") } : {}),
    ...(record.has("lora") ? { lora: record.text("lora") } : {}),
    ...(record.has("timeout_s")
      ? { timeoutUs: Math.round(record.number("timeout_s", 1e-6, 1e9, "seconds") * 1e6) }
      : {}),
  };
}

function prefixOf(record: TraceRecord, contents: NamedContents, numPromptTokens: number): { prefix?: TokenSegment } {
  if (!record.has("prefix_id")) {
    if (record.has("prefix_tokens") && record.integer("prefix_tokens", 0, MAX_TOKENS, "tokens") > 0) {
      throw record.error("prefix_id", "must name the prefix that prefix_tokens counts");
    }
    return {};
  }
  const numTokens = record.integer("prefix_tokens", 0, numPromptTokens, "tokens, at most prompt_tokens");
  return numTokens === 0
    ? {}
    : { prefix: { contentId: contents.idOf(`prefix ${record.text("prefix_id")}`), numTokens } };
}

function givenSegments(record: TraceRecord, contents: NamedContents, numPromptTokens: number): TokenSegment[] {
  const expected = "must be content:tokens pairs such as 0:1024 7:300 (JSONL: [[0,1024],[7,300]])";
  const segments = segmentPairs(record.raw("prompt_segments")).map(([content, numTokens]) => {
    const isValid = Number.isSafeInteger(content) && content >= 0 && Number.isSafeInteger(numTokens) && numTokens >= 1;
    if (!isValid) throw record.error("prompt_segments", expected);
    return { contentId: contents.idOf(`content ${content}`), numTokens };
  });
  const sum = segments.reduce((total, segment) => total + segment.numTokens, 0);
  if (sum === numPromptTokens) return segments;
  throw record.error("prompt_segments", `must add up to prompt_tokens (${numPromptTokens}); they add up to ${sum}`);
}

/** Pairs of content and tokens; NaN where something else stands. */
function segmentPairs(value: unknown): [number, number][] {
  if (Array.isArray(value)) {
    return value.map((pair: unknown) =>
      Array.isArray(pair) && pair.length === 2 ? [asNumber(pair[0]), asNumber(pair[1])] : [Number.NaN, 0],
    );
  }
  return String(value)
    .trim()
    .split(/\s+/)
    .map((pair) => {
      const parts = /^(\d+):(\d+)$/.exec(pair);
      return [Number(parts?.[1]), Number(parts?.[2])];
    });
}

function asNumber(value: unknown): number {
  return typeof value === "number" ? value : Number.NaN;
}
