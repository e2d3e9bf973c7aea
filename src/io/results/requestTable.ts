import { endUs } from "../../core/metrics/requestEnd.js";
import type { RequestRecord } from "../../core/metrics/requestRecord.js";
import { e2eMs, interTokenMs, ttftMs } from "../../core/metrics/runMetrics.js";
import type { RequestSpec, TokenSegment } from "../../core/request/requestSpec.js";
import { MS_PER_S, US_PER_MS, US_PER_S } from "../../core/units/units.js";
import { cleanNumber } from "./cleanJson.js";

/**
 * Columns of requests.csv and keys of requests.jsonl, units in the names; empty or null where it never happened.
 * The last six say what was asked, so that the table reads back as a trace: `prompt_segments` lists
 * `content:tokens` pairs, equal contents meaning equal tokens, numbered as they first appear: a replay numbers them alike.
 */
export const REQUEST_COLUMNS = [
  "run",
  "benchmark",
  "request_id",
  "session_id",
  "turn",
  "status",
  "arrival_s",
  "sent_s",
  "first_token_s",
  "last_token_s",
  "end_s",
  "prompt_tokens",
  "cached_tokens",
  "output_tokens",
  "ttft_ms",
  "itl_ms",
  "tpot_guidellm_ms",
  "e2e_s",
  "queue_ms",
  "prefill_ms",
  "decode_ms",
  "preemptions",
  "replica",
  "error",
  "max_tokens",
  "prompt_segments",
  "output_content",
  "priority",
  "lora",
  "timeout_s",
] as const;

export type RequestRow = Readonly<Record<(typeof REQUEST_COLUMNS)[number], string | number | null>>;

/** Rows of the table, in the order of the records. */
export interface RequestTableInput {
  /** Label of the run, the same in every row. */
  readonly run: string;
  readonly records: readonly RequestRecord[];
  /** What each record's client asked for, parallel; null leaves the trace columns empty. */
  readonly specs: readonly RequestSpec[] | null;
}

/** Makes the rows one by one. */
export function* requestRows({ run, records, specs }: RequestTableInput): Generator<RequestRow> {
  const turns = new Map<string, number>();
  const contents = new Map<number, number>();
  const numberOf = (contentId: number): number => {
    const known = contents.get(contentId);
    if (known !== undefined) return known;
    contents.set(contentId, contents.size);
    return contents.size - 1;
  };
  for (let i = 0; i < records.length; i++) {
    const record = records[i] as RequestRecord;
    let turn: number | null = null;
    if (record.sessionId !== null) {
      turn = turns.get(record.sessionId) ?? 0;
      turns.set(record.sessionId, turn + 1);
    }
    yield requestRow(run, record, specs?.[i] ?? null, turn, numberOf);
  }
}

function requestRow(
  run: string,
  record: RequestRecord,
  spec: RequestSpec | null,
  turn: number | null,
  numberOf: (contentId: number) => number,
): RequestRow {
  const { arrivalUs, firstScheduledUs, firstTokenUs, lastTokenUs, numOutputTokens } = record;
  return {
    run,
    benchmark: 0,
    request_id: record.id,
    session_id: record.sessionId,
    turn,
    status: record.status,
    arrival_s: arrivalUs / US_PER_S,
    sent_s: arrivalUs / US_PER_S,
    first_token_s: cleanNumber(firstTokenUs / US_PER_S),
    last_token_s: cleanNumber(lastTokenUs / US_PER_S),
    end_s: cleanNumber(endUs(record, spec) / US_PER_S),
    prompt_tokens: record.numPromptTokens,
    cached_tokens: record.numCachedTokens,
    output_tokens: numOutputTokens,
    ttft_ms: cleanNumber(ttftMs(record)),
    itl_ms: cleanNumber(interTokenMs(record)),
    tpot_guidellm_ms: numOutputTokens > 0 ? cleanNumber(e2eMs(record) / numOutputTokens) : null,
    e2e_s: cleanNumber(e2eMs(record) / MS_PER_S),
    queue_ms: cleanNumber(record.queueUs / US_PER_MS),
    prefill_ms: cleanNumber((firstTokenUs - firstScheduledUs) / US_PER_MS),
    decode_ms: cleanNumber((lastTokenUs - firstTokenUs) / US_PER_MS),
    preemptions: record.numPreemptions,
    replica: 0,
    error: record.reason,
    max_tokens: spec?.maxTokens ?? null,
    prompt_segments: spec === null ? null : segmentsText(spec.promptSegments, numberOf),
    output_content: spec === null ? null : numberOf(spec.outputContentId),
    priority: spec?.priority ?? null,
    lora: spec?.lora ?? null,
    timeout_s: spec === null ? null : cleanNumber(spec.timeoutUs / US_PER_S),
  };
}

/** requests.csv, header first. */
export function* requestCsvLines(input: RequestTableInput): Generator<string> {
  yield `${REQUEST_COLUMNS.join(",")}\n`;
  for (const row of requestRows(input)) yield csvLine(row);
}

function csvLine(row: RequestRow): string {
  let line = "";
  for (let i = 0; i < REQUEST_COLUMNS.length; i++) {
    const cell = csvCell(row[REQUEST_COLUMNS[i]!]);
    line = i === 0 ? cell : `${line},${cell}`;
  }
  return `${line}\n`;
}

/** `7:16 9:3`. */
function segmentsText(segments: readonly TokenSegment[], numberOf: (contentId: number) => number): string {
  let text = "";
  for (const { contentId, numTokens } of segments) {
    const segment = `${numberOf(contentId)}:${numTokens}`;
    text = text === "" ? segment : `${text} ${segment}`;
  }
  return text;
}

/** requests.jsonl: one object per line. */
export function* requestJsonLines(input: RequestTableInput): Generator<string> {
  for (const row of requestRows(input)) yield `${JSON.stringify(row)}\n`;
}

/** A value as it stands in a CSV file; text is quoted where it must be. */
export function csvCell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  return /[",\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
