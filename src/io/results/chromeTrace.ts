import type { RequestRecord } from "../../core/metrics/requestRecord.js";
import type { TracedStep } from "./stepTraceRecorder.js";

/** Events a trace viewer still opens quickly. */
const MAX_EVENTS = 200_000;
/** Most events a step (slice and counters) and a request (begin, end and phases) make. */
const EVENTS_PER_STEP = 4;
const EVENTS_PER_REQUEST = 8;

const ENGINE_PROCESS = 1;
const CLIENT_PROCESS = 2;

/** One entry of `traceEvents`; `ts` and `dur` in µs. */
interface TraceEvent {
  readonly ph: "X" | "M" | "C" | "b" | "e";
  readonly name: string;
  readonly pid: number;
  readonly tid?: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly id?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

export interface ChromeTraceInput {
  readonly records: readonly RequestRecord[];
  readonly steps: readonly TracedStep[];
  /** Steps of the run per step in `steps`. */
  readonly stepStride: number;
}

/**
 * trace.json for Perfetto or chrome://tracing: engine steps as slices, requests as async slices with their queue,
 * prefill and decode phases, counters for running, waiting, KV usage and tokens per step. Sorted by time. Above
 * 200,000 events every n-th step or request is left out, and `otherData` says how many stand for how many.
 */
export function* chromeTraceText(input: ChromeTraceInput): Generator<string> {
  const stepEvery = Math.max(1, Math.ceil((input.steps.length * EVENTS_PER_STEP) / (MAX_EVENTS / 2)));
  const requestEvery = Math.max(1, Math.ceil((input.records.length * EVENTS_PER_REQUEST) / (MAX_EVENTS / 2)));
  const events = [
    ...input.steps.filter((_, i) => i % stepEvery === 0).flatMap(stepEvents),
    ...input.records.filter((_, i) => i % requestEvery === 0).flatMap(requestEvents),
  ];
  const order = events.map((_, i) => i).sort((a, b) => timeOf(events[a]) - timeOf(events[b]) || a - b);
  const otherData = { stepsPerStepShown: input.stepStride * stepEvery, requestsPerRequestShown: requestEvery };
  yield `{"displayTimeUnit":"ms","otherData":${JSON.stringify(otherData)},"traceEvents":[\n`;
  yield metadataEvents()
    .map((event) => JSON.stringify(event))
    .join(",\n");
  for (const i of order) yield `,\n${JSON.stringify(events[i])}`;
  yield "\n]}\n";
}

function timeOf(event: TraceEvent | undefined): number {
  return event?.ts ?? 0;
}

function metadataEvents(): TraceEvent[] {
  return [
    { ph: "M", name: "process_name", pid: ENGINE_PROCESS, args: { name: "engine (simulated)" } },
    { ph: "M", name: "thread_name", pid: ENGINE_PROCESS, tid: 1, args: { name: "GPU steps" } },
    { ph: "M", name: "process_name", pid: CLIENT_PROCESS, args: { name: "requests" } },
  ];
}

function stepEvents(step: TracedStep): TraceEvent[] {
  const { startUs: ts, endUs, numTokens, numPrefillTokens, numDecodes, numRequests } = step;
  const name = numPrefillTokens === 0 ? "decode" : numDecodes === 0 ? "prefill" : "mixed";
  const args = { numTokens, numPrefillTokens, numDecodes, numRequests, kvUsageFraction: step.kvUsageFraction };
  const counter = (name: string, values: Record<string, number>): TraceEvent => ({
    ph: "C",
    name,
    pid: ENGINE_PROCESS,
    ts,
    args: values,
  });
  return [
    { ph: "X", name, cat: "step", pid: ENGINE_PROCESS, tid: 1, ts, dur: endUs - ts, args },
    counter("requests", { running: step.numRunning, waiting: step.numWaiting }),
    counter("KV usage", { fraction: step.kvUsageFraction }),
    counter("tokens per step", { tokens: numTokens }),
  ];
}

function requestEvents(record: RequestRecord): TraceEvent[] {
  const { id, arrivalUs, firstScheduledUs, firstTokenUs, lastTokenUs, numPromptTokens, numOutputTokens, status } =
    record;
  const end = [lastTokenUs, firstTokenUs, firstScheduledUs, arrivalUs].find(
    (timeUs) => !Number.isNaN(timeUs),
  ) as number;
  const args = { status, numPromptTokens, numCachedTokens: record.numCachedTokens, numOutputTokens };
  return [
    ...asyncSlice(id, "request", arrivalUs, end, args),
    ...asyncSlice(id, "queue", arrivalUs, firstScheduledUs),
    ...asyncSlice(id, "prefill", firstScheduledUs, firstTokenUs),
    ...asyncSlice(id, "decode", firstTokenUs, lastTokenUs),
  ];
}

/** Begin and end of an async slice, or nothing when it never took place. */
function asyncSlice(
  id: string,
  name: string,
  startUs: number,
  endUs: number,
  args?: Readonly<Record<string, unknown>>,
): TraceEvent[] {
  if (!(endUs >= startUs)) return [];
  const both = { name, cat: "request", id, pid: CLIENT_PROCESS, tid: 1 } as const;
  return [
    { ph: "b", ...both, ts: startUs, ...(args === undefined ? {} : { args }) },
    { ph: "e", ...both, ts: endUs },
  ];
}
