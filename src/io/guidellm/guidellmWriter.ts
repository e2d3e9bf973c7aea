import { GUIDELLM_STATUSES, type GuidellmRecord, guidellmAggregates } from "../../core/metrics/guidellmAggregates.js";
import { emptyGuidellmDistribution, guidellmDistribution } from "../../core/metrics/guidellmDistribution.js";
import type { MeasureWindow } from "../../core/metrics/guidellmRates.js";
import type { RequestRecord } from "../../core/metrics/requestRecord.js";
import type { RequestSpec } from "../../core/request/requestSpec.js";
import type { GuidellmStrategy } from "./guidellmReport.js";
import { simulatedRecord, simulatedTimeS } from "./simulatedRecord.js";

/** Requests listed at most: beyond it the file holds a sample, as GuideLLM's `sample_requests` makes one. */
const MAX_LISTED_REQUESTS = 100_000;

/** What to write. */
export interface GuidellmReportInput {
  readonly records: readonly RequestRecord[];
  /** Parallel to `records`; null when unknown. */
  readonly specs: readonly RequestSpec[] | null;
  readonly strategy: GuidellmStrategy;
  /** Goes into the file's `args`: the settings of the run, under GuideLLM's names where it has them. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly simulator: { readonly name: string; readonly version: string; readonly seed: number };
  /** Place in a file of several benchmarks, from 0; default 0. */
  readonly runIndex?: number;
  /** Where the measurement window starts: GuideLLM from 0.5.4 on takes the first request, older ones the go signal. */
  readonly windowMode?: "first-request" | "scheduler-start";
}

/**
 * The pieces of a results file in the layout of GuideLLM 0.5–0.6 (`metadata.version` 1), one benchmark, marked as
 * simulated. Time stamps are a fixed epoch plus simulated seconds, so equal runs give equal bytes.
 */
export function* guidellmReportText(input: GuidellmReportInput): Generator<string> {
  yield guidellmReportHead(input);
  yield* guidellmBenchmarkText(input);
  yield GUIDELLM_REPORT_TAIL;
}

/** What stands in a results file before its benchmarks, which commas separate. */
export function guidellmReportHead({ args, simulator }: Pick<GuidellmReportInput, "args" | "simulator">): string {
  const { name, version, seed } = simulator;
  const metadata = {
    version: 1,
    guidellm_version: "0.6.0",
    python_version: null,
    platform: "simulated",
    simulated: true,
    simulator: { name, version, seed },
  };
  return `{"metadata":${JSON.stringify(metadata)},\n"args":${JSON.stringify(args)},\n"benchmarks":[`;
}

/** What stands after them. */
export const GUIDELLM_REPORT_TAIL = "]}\n";

/** The pieces of one benchmark of a results file. */
export function* guidellmBenchmarkText(input: GuidellmReportInput): Generator<string> {
  const records = input.records.map((record, i) => simulatedRecord(record, input.specs?.[i] ?? null));
  const window = measureWindow(records, input.windowMode ?? "first-request");
  const aggregates = guidellmAggregates(records, window);
  const listEvery = Math.max(1, Math.ceil(records.length / MAX_LISTED_REQUESTS));
  const benchmark = {
    type_: "generative_benchmark",
    config: benchmarkConfig(input, listEvery > 1 ? MAX_LISTED_REQUESTS : null),
    scheduler_state: schedulerState(aggregates.request_totals, window),
    scheduler_metrics: schedulerMetrics(aggregates.request_totals, window),
    metrics: { ...aggregates, ...perIterationMetrics(records), ...modalityMetrics() },
    start_time: window.startS,
    end_time: window.endS,
    duration: window.endS - window.startS,
    warmup_duration: 0,
    cooldown_duration: 0,
  };
  yield `${JSON.stringify(benchmark).slice(0, -1)},\n"requests":{`;
  for (const status of GUIDELLM_STATUSES) {
    yield `"${status}":[`;
    let separator = "\n";
    for (let i = 0; i < records.length; i += listEvery) {
      const record = records[i] as GuidellmRecord;
      if (record.status !== status) continue;
      yield separator +
        JSON.stringify(requestStats(record, input.specs?.[i]?.maxTokens ?? null, input.records[i]?.reason ?? null));
      separator = ",\n";
    }
    yield "],\n";
  }
  yield '"total":null}}';
}

/** From the first start to the last end of any request; one microsecond at least. */
function measureWindow(records: readonly GuidellmRecord[], mode: "first-request" | "scheduler-start"): MeasureWindow {
  let startS = mode === "scheduler-start" ? simulatedTimeS(0) : Number.POSITIVE_INFINITY;
  let endS = Number.NEGATIVE_INFINITY;
  for (const record of records) {
    startS = Math.min(startS, record.requestStartS);
    for (const timeS of [record.requestStartS, record.requestEndS, record.resolveEndS]) if (timeS > endS) endS = timeS;
  }
  if (records.length === 0) return { startS: simulatedTimeS(0), endS: simulatedTimeS(1) };
  return { startS, endS: Math.max(endS, startS + 1e-6) };
}

function benchmarkConfig(
  { strategy, args, runIndex = 0 }: GuidellmReportInput,
  sampleRequests: number | null,
): unknown {
  const { kind, requestsPerS, streams, maxConcurrency } = strategy;
  return {
    run_index: runIndex,
    strategy: {
      type_: kind,
      ...(requestsPerS === null ? {} : { rate: requestsPerS }),
      ...(streams === null ? {} : { streams }),
      max_concurrency: maxConcurrency,
    },
    constraints: {},
    sample_requests: sampleRequests,
    warmup: null,
    cooldown: null,
    prefer_response_metrics: true,
    profile: { type_: kind },
    requests: { data: typeof args.data === "string" ? args.data : (JSON.stringify(args.data) ?? "") },
    backend: {},
    environment: {},
  };
}

type Totals = Readonly<Record<(typeof GUIDELLM_STATUSES)[number] | "total", number>>;

function schedulerState(totals: Totals, window: MeasureWindow): unknown {
  return {
    node_id: 0,
    num_processes: 1,
    start_time: simulatedTimeS(0),
    end_time: window.endS,
    start_requests_time: window.startS,
    end_requests_time: window.endS,
    created_requests: totals.total,
    queued_requests: 0,
    pending_requests: 0,
    processing_requests: 0,
    processed_requests: totals.total,
    successful_requests: totals.successful,
    errored_requests: totals.errored,
    cancelled_requests: totals.incomplete,
  };
}

/** The simulated client has no delays of its own. */
function schedulerMetrics(totals: Totals, window: MeasureWindow): unknown {
  return {
    start_time: simulatedTimeS(0),
    request_start_time: window.startS,
    measure_start_time: window.startS,
    measure_end_time: window.endS,
    request_end_time: window.endS,
    end_time: window.endS,
    requests_made: totals,
    queued_time_avg: 0,
    resolve_start_delay_avg: 0,
    resolve_targeted_start_delay_avg: 0,
    request_start_delay_avg: 0,
    request_targeted_start_delay_avg: 0,
    request_time_avg: 0,
    resolve_end_delay_avg: 0,
    resolve_time_avg: 0,
    finalized_delay_avg: 0,
    processed_delay_avg: 0,
  };
}

/** One token per chunk, always. */
function perIterationMetrics(records: readonly GuidellmRecord[]): Readonly<Record<string, unknown>> {
  const ones = (count: number) =>
    count === 0
      ? emptyGuidellmDistribution()
      : guidellmDistribution({ values: Float64Array.of(1), weights: Float64Array.of(count) });
  const groups = (tokens: (record: GuidellmRecord) => number) => {
    const sum = (status: string | null): number =>
      records.reduce((total, r) => total + (status === null || r.status === status ? tokens(r) : 0), 0);
    return {
      ...Object.fromEntries(GUIDELLM_STATUSES.map((status) => [status, ones(sum(status))])),
      total: ones(sum(null)),
    };
  };
  return {
    output_tokens_per_iteration: groups((record) => record.outputTokens ?? 0),
    iter_tokens_per_iteration: groups((record) => Math.max((record.outputTokens ?? 0) - 1, 0)),
  };
}

/** Summaries by modality use yet another definition of rates; null says "not computed". */
function modalityMetrics(): Readonly<Record<string, unknown>> {
  const none = { text: ["tokens", "words", "characters"], image: ["tokens", "images", "pixels", "bytes"] };
  const others = { video: ["tokens", "frames", "seconds", "bytes"], audio: ["tokens", "samples", "seconds", "bytes"] };
  return Object.fromEntries(
    Object.entries({ ...none, ...others }).map(([modality, keys]) => [
      modality,
      Object.fromEntries(keys.map((key) => [key, null])),
    ]),
  );
}

/** A request as the file lists it. */
function requestStats(record: GuidellmRecord, maxTokens: number | null, error: string | null): unknown {
  const orNull = (timeS: number): number | null => (Number.isNaN(timeS) ? null : timeS);
  return {
    type_: "generative_request_stats",
    request_id: record.requestId,
    response_id: record.responseId,
    request_args: maxTokens === null ? null : `{'max_tokens': ${maxTokens}}`,
    output: null,
    info: {
      request_id: record.requestId,
      status: STATUS_NAMES[record.status],
      scheduler_node_id: 0,
      scheduler_process_id: 0,
      scheduler_start_time: simulatedTimeS(0),
      timings: {
        targeted_start: record.requestStartS,
        queued: record.requestStartS,
        dequeued: record.requestStartS,
        scheduled_at: record.requestStartS,
        resolve_start: record.requestStartS,
        request_start: record.requestStartS,
        first_request_iteration: orNull(record.firstTokenS),
        first_token_iteration: orNull(record.firstTokenS),
        last_token_iteration: orNull(record.lastTokenS),
        last_request_iteration: orNull(record.lastTokenS),
        request_iterations: record.requestIterations,
        token_iterations: record.tokenIterations,
        request_end: orNull(record.requestEndS),
        resolve_end: orNull(record.resolveEndS),
        finalized: orNull(record.resolveEndS),
      },
      error,
    },
    input_metrics: { text_tokens: record.promptTokens, total_tokens: record.promptTokens },
    output_metrics: { text_tokens: record.outputTokens, total_tokens: record.outputTokens },
  };
}

const STATUS_NAMES = { successful: "completed", incomplete: "cancelled", errored: "errored" } as const;
