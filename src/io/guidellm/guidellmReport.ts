import { valueAt } from "../../core/config/parseConfig.js";
import { DataFileError } from "../../core/errors/simulationError.js";
import { GUIDELLM_STATUSES, type GuidellmRecord, type GuidellmStatus } from "../../core/metrics/guidellmAggregates.js";
import type { MeasureWindow } from "../../core/metrics/guidellmRates.js";
import { checkData, readDataText } from "../dataFile/dataFile.js";
import { parseJson } from "../structuredFile.js";
import {
  type GuidellmFile,
  type GuidellmFileBenchmark,
  type GuidellmFileRequest,
  type GuidellmReportedMetrics,
  guidellmReportSchema,
} from "./guidellmSchema.js";

/** File layouts, by the first GuideLLM release that wrote them. */
export type GuidellmLayout = "0.3" | "0.4" | "0.5" | "0.7";

/** How a benchmark offered its load. */
export interface GuidellmStrategy {
  /** `synchronous`, `concurrent`, `throughput`, `constant`, `poisson`, `trace`, … */
  readonly kind: string;
  readonly requestsPerS: number | null;
  readonly streams: number | null;
  readonly maxConcurrency: number | null;
}

/** A request as recorded, with what it asked for. */
export interface GuidellmReportRecord extends GuidellmRecord {
  /** `max_tokens` of the request, where the file keeps its arguments; else null. */
  readonly maxTokens: number | null;
  readonly error: string | null;
}

export interface GuidellmBenchmark {
  readonly strategy: GuidellmStrategy;
  readonly window: MeasureWindow;
  /** By start time; those without one last. */
  readonly records: readonly GuidellmReportRecord[];
  /** The file's own aggregates. */
  readonly metrics: GuidellmReportedMetrics;
  /** Successful requests that were measured, which may be more than are listed. */
  readonly numSuccessful: number;
  /** Only a sample of the requests is listed: trust `metrics`, never sum the records. */
  readonly isTruncated: boolean;
  /** Tokens of the prefix that all prompts share; 0 = none or unknown. */
  readonly prefixTokens: number;
  /** How many different prefixes the prompts draw from. */
  readonly prefixCount: number;
  /** The client's own timeout, s; Infinity when the file does not say. */
  readonly timeoutS: number;
}

export interface GuidellmReport {
  readonly layout: GuidellmLayout;
  readonly guidellmVersion: string | null;
  /** Model that GuideLLM was told to ask for; null when it took the server's only one. */
  readonly model: string | null;
  /** What a file of ours says of the simulated server, as parsed; null in GuideLLM's own files. */
  readonly simulatedServer: unknown;
  readonly benchmarks: readonly GuidellmBenchmark[];
}

/**
 * Reads a results file of GuideLLM 0.3 … 0.7.
 * @throws DataFileError
 */
export function readGuidellmReport(file: string): GuidellmReport {
  const text = readDataText(file, "give a GuideLLM results file (benchmarks.json)");
  return parseGuidellmReport(parseJson(text, file), file);
}

/** Like `readGuidellmReport`, of parsed JSON. */
export function parseGuidellmReport(input: unknown, file: string): GuidellmReport {
  const remedy = "only JSON results of GuideLLM 0.3 to 0.7 can be read";
  const data = checkData(guidellmReportSchema, input, file, remedy);
  const layout = layoutOf(data);
  return {
    layout,
    guidellmVersion: data.metadata?.guidellm_version ?? null,
    model: modelOf(data),
    simulatedServer: data.metadata?.simulated === true ? (valueAt(data, ["args", "backend_kwargs"]) ?? null) : null,
    benchmarks: data.benchmarks.map((benchmark, index) => canonicalBenchmark(data, benchmark, index, file)),
  };
}

/** Where layouts 0.3 to 0.7 name the served model, most reliable first. */
const MODEL_PATHS = [
  ["args", "model"],
  ["config", "spec", "backend", "model"],
  ["benchmarks", "0", "config", "backend", "model"],
  ["benchmarks", "0", "worker", "backend_model"],
] as const;

/** The served model, as the file's settings or its first request's body say; null where none does. */
function modelOf(data: GuidellmFile): string | null {
  for (const path of MODEL_PATHS) {
    const model = valueAt(data, path);
    if (typeof model === "string" && model !== "") return model;
  }
  const [request] = data.benchmarks[0]?.requests.successful ?? [];
  // A Python literal, not JSON: 'model': 'codellama/…'.
  return /['"]model['"]: ?['"]([^'"]+)['"]/.exec(textOf(valueAt(request, ["request_args"])))?.[1] ?? null;
}

function layoutOf(data: GuidellmFile): GuidellmLayout {
  if (data.metadata?.version === 2) return "0.7";
  if (data.metadata?.version === 1) return "0.5";
  return data.benchmarks.some((benchmark) => benchmark.args != null) ? "0.3" : "0.4";
}

function canonicalBenchmark(
  data: GuidellmFile,
  benchmark: GuidellmFileBenchmark,
  index: number,
  file: string,
): GuidellmBenchmark {
  const strategy = benchmark.config?.strategy ?? benchmark.args?.strategy ?? null;
  const kind = strategy?.type_ ?? strategy?.kind ?? null;
  if (strategy === null || kind === null) {
    const column = `benchmarks[${index}].config.strategy.type_`;
    throw new DataFileError({ file, column }, "missing; without the strategy it is unknown how load was offered");
  }
  const records = GUIDELLM_STATUSES.flatMap((status) =>
    (benchmark.requests[status] ?? []).map((request, i) => canonicalRecord(request, status, `${status}-${i}`)),
  ).sort((a, b) => startOrder(a) - startOrder(b));
  const totals = benchmark.metrics.request_totals ?? benchmark.request_totals;
  const numListed = benchmark.requests.successful.length;
  const numSuccessful = totals?.successful ?? numListed;
  const dataText = dataDescription(data, benchmark);
  return {
    strategy: {
      kind,
      requestsPerS: strategy.rate ?? null,
      streams: strategy.streams ?? null,
      maxConcurrency: strategy.max_concurrency ?? null,
    },
    window: measureWindow(benchmark, records, index, file),
    records,
    metrics: benchmark.metrics,
    numSuccessful,
    isTruncated: numSuccessful > numListed,
    prefixTokens: numberIn(dataText, "prefix_tokens") ?? 0,
    prefixCount: numberIn(dataText, "prefix_count") ?? 1,
    timeoutS: timeoutS(benchmark.config?.backend),
  };
}

function startOrder(record: GuidellmRecord): number {
  return Number.isNaN(record.requestStartS) ? Number.MAX_VALUE : record.requestStartS;
}

function canonicalRecord(
  request: GuidellmFileRequest,
  status: GuidellmStatus,
  fallbackId: string,
): GuidellmReportRecord {
  if (!("info" in request)) {
    const outputTokens = request.output_tokens ?? null;
    return {
      requestId: request.request_id ?? fallbackId,
      responseId: null,
      status,
      requestStartS: timeOrNan(request.start_time),
      firstTokenS: timeOrNan(request.first_token_time),
      lastTokenS: timeOrNan(request.last_token_time),
      requestEndS: timeOrNan(request.end_time),
      resolveEndS: Number.NaN,
      promptTokens: request.prompt_tokens ?? null,
      outputTokens,
      tokenIterations: outputTokens ?? 0,
      requestIterations: outputTokens ?? 0,
      maxTokens: null,
      error: errorText(request.error),
    };
  }
  const { timings } = request.info;
  const tokenIterations = timings.token_iterations ?? 0;
  return {
    requestId: request.request_id,
    responseId: request.response_id ?? null,
    status,
    requestStartS: timeOrNan(timings.request_start ?? timings.resolve_start),
    firstTokenS: timeOrNan(timings.first_token_iteration),
    lastTokenS: timeOrNan(timings.last_token_iteration),
    requestEndS: timeOrNan(timings.request_end),
    resolveEndS: timeOrNan(timings.resolve_end),
    promptTokens: request.input_metrics?.total_tokens ?? request.input_metrics?.text_tokens ?? null,
    outputTokens:
      request.output_metrics?.total_tokens ?? request.output_metrics?.text_tokens ?? (tokenIterations || null),
    tokenIterations,
    requestIterations: timings.request_iterations ?? 0,
    maxTokens: numberIn(textOf(request.request_args), "max_(?:completion_)?tokens"),
    error: errorText(request.info.error),
  };
}

/** 0.3 writes −1 where nothing happened. */
function timeOrNan(timeS: number | null | undefined): number {
  return timeS == null || timeS < 0 ? Number.NaN : timeS;
}

function errorText(error: unknown): string | null {
  return error == null || error === "" ? null : textOf(error);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function measureWindow(
  benchmark: GuidellmFileBenchmark,
  records: readonly GuidellmRecord[],
  index: number,
  file: string,
): MeasureWindow {
  const startS = benchmark.start_time ?? benchmark.scheduler_metrics?.measure_start_time ?? records[0]?.requestStartS;
  const endS =
    benchmark.end_time ??
    benchmark.scheduler_metrics?.measure_end_time ??
    records.reduce((latest, record) => Math.max(latest, record.requestEndS || 0), Number.NEGATIVE_INFINITY);
  if (startS === undefined || !(endS > startS)) {
    throw new DataFileError(
      { file, column: `benchmarks[${index}].start_time` },
      `the measurement window is empty (${startS} to ${endS}); start_time and end_time must be Unix seconds`,
    );
  }
  return { startS, endS };
}

/** Where the synthetic data's settings may stand, as one text: per benchmark, or for the whole file. */
function dataDescription(data: GuidellmFile, benchmark: GuidellmFileBenchmark): string {
  const perBenchmark = textOf(benchmark.config?.requests);
  return perBenchmark.includes("prefix_tokens") ? perBenchmark : `${textOf(data.args)} ${textOf(data.config)}`;
}

/** The number after a key, in JSON, in Python's repr (which GuideLLM writes) or in `key=value` form. */
function numberIn(text: string, key: string): number | null {
  const digits = new RegExp(`\\b${key}\\\\?["']?\\s*[:=]\\s*(\\d+)`).exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}

function timeoutS(backend: unknown): number {
  const timeout = (backend as { timeout?: unknown } | null | undefined)?.timeout;
  return typeof timeout === "number" && timeout > 0 ? timeout : Number.POSITIVE_INFINITY;
}
