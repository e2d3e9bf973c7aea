import type { RequestRecord } from "../../metrics/requestRecord.js";
import { e2eMs, ttftMs } from "../../metrics/runMetrics.js";
import { US_PER_MS } from "../../units/units.js";

export type SpanPhase = "queue" | "prefill" | "decode" | "preempted";

/** A stretch of a request's life, ms after it was sent. */
export interface RequestSpan {
  readonly phase: SpanPhase;
  readonly startMs: number;
  readonly endMs: number;
}

/** One request as a row of a waterfall. */
export interface RequestSpans {
  readonly id: string;
  /** When it was sent, s of the run. */
  readonly arrivalS: number;
  readonly numPromptTokens: number;
  readonly numCachedTokens: number;
  readonly numOutputTokens: number;
  readonly numPreemptions: number;
  readonly ttftMs: number;
  readonly e2eMs: number;
  /** In order, without holes, from 0 to `e2eMs`. */
  readonly spans: readonly RequestSpan[];
}

/** The completed requests that took longest, the slowest first. */
export interface SlowestRequests {
  readonly toFirstToken: readonly RequestSpans[];
  readonly toFinish: readonly RequestSpans[];
}

/** When each request was preempted and scheduled again, µs, in turn; the last may be missing. */
export type PreemptionTimes = ReadonlyMap<string, readonly number[]>;

/** Preemptions drawn of one request: more are thinner than a pixel. */
const MAX_PREEMPTIONS = 40;

/** Picks the `count` slowest completed requests by each latency; of equal ones the first sent. */
export function slowestRequests(
  records: readonly RequestRecord[],
  preemptions: PreemptionTimes,
  count = 10,
): SlowestRequests {
  const slowest = (latencyMs: (record: RequestRecord) => number) =>
    largest(records, count, latencyMs).map((record) => requestSpans(record, preemptions.get(record.id) ?? []));
  return { toFirstToken: slowest(ttftMs), toFinish: slowest(e2eMs) };
}

/** O(records × count) at worst, without sorting them all. */
function largest(
  records: readonly RequestRecord[],
  count: number,
  latencyMs: (record: RequestRecord) => number,
): RequestRecord[] {
  const found: RequestRecord[] = [];
  for (const record of records) {
    if (record.status !== "completed") continue;
    const ms = latencyMs(record);
    let at = found.length;
    while (at > 0 && latencyMs(found[at - 1]!) < ms) at--;
    if (at >= count) continue;
    found.splice(at, 0, record);
    if (found.length > count) found.pop();
  }
  return found;
}

function requestSpans(record: RequestRecord, preemptedUs: readonly number[]): RequestSpans {
  const { id, arrivalUs, firstScheduledUs, firstTokenUs, lastTokenUs } = record;
  const { numPromptTokens, numCachedTokens, numOutputTokens, numPreemptions } = record;
  const phases: readonly (readonly [SpanPhase, number, number])[] = [
    ["queue", arrivalUs, firstScheduledUs],
    ["prefill", firstScheduledUs, firstTokenUs],
    ["decode", firstTokenUs, lastTokenUs],
  ];
  const spans = phases.flatMap(([phase, startUs, endUs]) => withPreemptions(phase, startUs, endUs, preemptedUs));
  return {
    id,
    arrivalS: arrivalUs / (1000 * US_PER_MS),
    numPromptTokens,
    numCachedTokens,
    numOutputTokens,
    numPreemptions,
    ttftMs: ttftMs(record),
    e2eMs: e2eMs(record),
    spans: spans.map(({ phase, startUs, endUs }) => ({
      phase,
      startMs: (startUs - arrivalUs) / US_PER_MS,
      endMs: (endUs - arrivalUs) / US_PER_MS,
    })),
  };
}

interface SpanUs {
  readonly phase: SpanPhase;
  readonly startUs: number;
  readonly endUs: number;
}

/** A phase, interrupted where the request had lost its blocks. */
function withPreemptions(phase: SpanPhase, startUs: number, endUs: number, preemptedUs: readonly number[]): SpanUs[] {
  const spans: SpanUs[] = [];
  let fromUs = startUs;
  for (let i = 0; i < Math.min(preemptedUs.length, 2 * MAX_PREEMPTIONS); i += 2) {
    const lostUs = Math.max(fromUs, preemptedUs[i]!);
    const resumedUs = Math.min(endUs, preemptedUs[i + 1] ?? endUs);
    if (resumedUs <= lostUs) continue;
    spans.push({ phase, startUs: fromUs, endUs: lostUs }, { phase: "preempted", startUs: lostUs, endUs: resumedUs });
    fromUs = resumedUs;
  }
  spans.push({ phase, startUs: fromUs, endUs });
  return spans.filter((span) => span.endUs > span.startUs);
}
