import { endUs } from "../../core/metrics/requestEnd.js";
import type { RequestRecord } from "../../core/metrics/requestRecord.js";
import { e2eMs, interTokenMs, ttftMs } from "../../core/metrics/runMetrics.js";
import type { RequestSpec, TokenSegment } from "../../core/request/requestSpec.js";
import { MS_PER_S, US_PER_MS, US_PER_S } from "../../core/units/units.js";
import { cleanNumber } from "./cleanJson.js";
import { ContentNumbers } from "./contentNumbers.js";
import { csvCell } from "./csvCells.js";

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

/** Records of a run, in order of submission. */
export interface RequestTableInput {
  /** Label of the run, the same in every row. */
  readonly run: string;
  readonly records: readonly RequestRecord[];
  /** What each record's client asked for, parallel; null leaves the trace columns empty. */
  readonly specs: readonly RequestSpec[] | null;
}

/** Makes the rows of a run one by one. Remembers the number of every content and the turn of every session. */
export class RequestTable {
  readonly #run: string;
  readonly #contents = new ContentNumbers();
  readonly #turns = new Map<string, number>();

  /** @param run label of the run, the same in every row */
  constructor(run: string) {
    this.#run = run;
  }

  /** @param spec what the client asked for; null leaves the trace columns empty */
  row(record: RequestRecord, spec: RequestSpec | null): RequestRow {
    return requestRow(this.#run, record, spec, this.#turnOf(record.sessionId), this.#contents);
  }

  #turnOf(sessionId: string | null): number | null {
    if (sessionId === null) return null;
    const turn = this.#turns.get(sessionId) ?? 0;
    this.#turns.set(sessionId, turn + 1);
    return turn;
  }
}

/** Makes the rows one by one. */
export function* requestRows({ run, records, specs }: RequestTableInput): Generator<RequestRow> {
  const table = new RequestTable(run);
  for (let i = 0; i < records.length; i++) yield table.row(records[i] as RequestRecord, specs?.[i] ?? null);
}

function requestRow(
  run: string,
  record: RequestRecord,
  spec: RequestSpec | null,
  turn: number | null,
  contents: ContentNumbers,
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
    prompt_segments: spec === null ? null : segmentsText(spec.promptSegments, contents),
    output_content: spec === null ? null : contents.numberOf(spec.outputContentId),
    priority: spec?.priority ?? null,
    lora: spec?.lora ?? null,
    timeout_s: spec === null ? null : cleanNumber(spec.timeoutUs / US_PER_S),
  };
}

/** First line of requests.csv. */
export const REQUEST_CSV_HEADER = `${REQUEST_COLUMNS.join(",")}\n`;

/** requests.csv, header first. */
export function* requestCsvLines(input: RequestTableInput): Generator<string> {
  yield REQUEST_CSV_HEADER;
  for (const row of requestRows(input)) yield requestCsvLine(row);
}

/** A line of requests.csv; joined, because a string grown cell by cell is a tree of its pieces until it is written. */
export function requestCsvLine(row: RequestRow): string {
  return `${REQUEST_COLUMNS.map((column) => csvCell(row[column])).join(",")}\n`;
}

/** `7:16 9:3`. */
function segmentsText(segments: readonly TokenSegment[], contents: ContentNumbers): string {
  let text = "";
  for (const { contentId, numTokens } of segments) {
    const segment = `${contents.numberOf(contentId)}:${numTokens}`;
    text = text === "" ? segment : `${text} ${segment}`;
  }
  return text;
}

/** requests.jsonl: one object per line. */
export function* requestJsonLines(input: RequestTableInput): Generator<string> {
  for (const row of requestRows(input)) yield jsonLine(row);
}

/** A line of requests.jsonl. */
export function jsonLine(row: RequestRow): string {
  return `${JSON.stringify(row)}\n`;
}
