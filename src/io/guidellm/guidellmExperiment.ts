import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { DataFileError } from "../../core/errors/simulationError.js";
import { interTokenLatencyMs } from "../../core/metrics/guidellmAggregates.js";
import {
  exclusionReason,
  type MeasuredAggregates,
  type MeasuredExperiment,
  type MeasuredQuantiles,
  type MeasuredRequest,
  type MeasuredRun,
} from "../../core/metrics/measuredExperiment.js";
import { type RequestSpec, requestSpec, type TokenSegment } from "../../core/request/requestSpec.js";
import { MS_PER_S, US_PER_S } from "../../core/units/units.js";
import { GUIDELLM_MAX_CONCURRENCY } from "../../core/workload/arrivalConfig.js";
import { contentId } from "../../core/workload/contentIds.js";
import { readServerConfig, type ServerConfig, serverConfigOf } from "../dataFile/serverConfig.js";
import { type GuidellmBenchmark, type GuidellmReportRecord, readGuidellmReport } from "./guidellmReport.js";
import { readVllmLog } from "./vllmLog.js";

/** Names under which a folder keeps GuideLLM's results. */
const RESULT_NAMES = ["guidellm-results.json", "benchmarks.json", "guidellm.json"];

/** An error this soon, without a token, came from the server's front door: the engine never saw the request. */
const REJECTED_WITHIN_S = 1;

/** The results file in a folder, or null. */
export function guidellmFileIn(folder: string): string | null {
  const name = RESULT_NAMES.find((candidate) => existsSync(join(folder, candidate)));
  return name === undefined ? null : join(folder, name);
}

/**
 * Reads a GuideLLM results file, or a folder with one and where present `vllm.log` (what the server really ran;
 * believed first) and `exp-config.yaml`. Each benchmark is a run of its own: its prompts share a prefix among
 * themselves and with no other benchmark.
 * @param modelOtherwise model where none of them says which one was served
 * @throws DataFileError
 */
export function readGuidellmExperiment(path: string, modelOtherwise: string | null = null): MeasuredExperiment {
  const isFolder = statSync(path).isDirectory();
  const folder = isFolder ? path : dirname(path);
  const file = isFolder ? guidellmFileIn(path) : path;
  if (file === null) {
    throw new DataFileError(
      { file: path },
      `no GuideLLM results in this folder; expected ${RESULT_NAMES.join(" or ")}`,
    );
  }
  const report = readGuidellmReport(file);
  const log = readVllmLog(join(folder, "vllm.log"));
  const config = withOtherwise(
    readServerConfig(join(folder, "exp-config.yaml")),
    serverConfigOf(report.simulatedServer, file),
  );
  const notes: string[] = [];
  const model = log.model ?? config.model ?? report.model ?? modelOtherwise;
  if (model === null) {
    throw new DataFileError(
      { file: join(folder, "exp-config.yaml"), column: "model" },
      "nothing says which model was served; give --model, or add the file with `model: <Hugging Face id>`",
    );
  }
  if (report.simulatedServer === null && (log.maxNumBatchedTokens ?? config.maxNumBatchedTokens) === null) {
    notes.push("neither vllm.log nor exp-config.yaml states the server's limits: vLLM's defaults are assumed");
  }
  const name = basename(resolve(isFolder ? path : folder));
  return {
    name,
    model,
    gpu: config.gpu,
    tensorParallelSize: log.tensorParallelSize ?? config.tensorParallelSize ?? 1,
    engine: {
      maxModelLen: log.maxModelLen ?? config.maxModelLen,
      maxNumSeqs: log.maxNumSeqs ?? config.maxNumSeqs,
      maxNumBatchedTokens: log.maxNumBatchedTokens ?? config.maxNumBatchedTokens,
      blockSize: log.blockSize ?? config.blockSize,
      numGpuBlocks: log.numGpuBlocks ?? config.numGpuBlocks,
      vllmVersion: log.vllmVersion ?? config.vllmVersion,
      enablePrefixCaching: log.enablePrefixCaching ?? config.enablePrefixCaching,
      dtype: log.dtype ?? config.dtype,
    },
    sampling: { topP: null, topK: null, temperature: null },
    client: "guidellm",
    ...measuredOn(report.benchmarks),
    runs: report.benchmarks.map((benchmark, index) => measuredRun(benchmark, index, name, notes)),
    notes,
  };
}

/** The settings of one, and where it does not say those of the other. */
function withOtherwise(config: ServerConfig, other: ServerConfig): ServerConfig {
  const stated = Object.entries(config).filter(([, value]) => value !== null);
  return { ...other, ...Object.fromEntries(stated) };
}

/** GuideLLM's times are Unix seconds; the first request's is when the server was measured. */
function measuredOn(benchmarks: readonly GuidellmBenchmark[]): { measuredOn?: string } {
  const startS = Math.min(...benchmarks.map(({ records }) => records[0]?.requestStartS || Number.POSITIVE_INFINITY));
  return Number.isFinite(startS) ? { measuredOn: new Date(startS * MS_PER_S).toISOString().slice(0, 10) } : {};
}

function measuredRun(
  benchmark: GuidellmBenchmark,
  index: number,
  experimentName: string,
  notes: string[],
): MeasuredRun {
  const name = `${experimentName}/${loadName(benchmark, index)}`;
  const records = benchmark.records.filter(reachedEngine);
  const numRejected = benchmark.records.length - records.length;
  if (numRejected > 0) notes.push(`${name}: ${numRejected} requests refused by the server's front end are left out`);
  if (benchmark.prefixCount > 1)
    notes.push(`${name}: which of its ${benchmark.prefixCount} prefixes a prompt has is unknown`);
  const startS = records[0]?.requestStartS ?? 0;
  const specs = records.map((record, i) => specOf(record, i, benchmark, startS));
  const measured = records.map((record, i) => measuredRequest(record, specs[i] as RequestSpec));
  const numFailed = measured.filter((request) => request.failed).length;
  const aggregates = reportedAggregates(benchmark, numFailed);
  const isSample = benchmark.isTruncated ? "only a sample of its requests is in the file" : null;
  return {
    name,
    strategy: benchmark.strategy.kind,
    closedLoopConcurrency: closedLoopConcurrency(benchmark, records.length),
    specs,
    measured,
    stages: [
      { name, firstIndex: 0, endIndex: specs.length, requestsPerS: benchmark.strategy.requestsPerS, aggregates },
    ],
    aggregates,
    outputTokensPerS: outputTokensPerS(records),
    excluded: isSample ?? exclusionReason(numFailed, records.length, "or were cut off by the client"),
  };
}

/** `2-constant-0.76`: place in the sweep, strategy, offered load. */
function loadName({ strategy }: GuidellmBenchmark, index: number): string {
  const { requestsPerS, streams } = strategy;
  const load = requestsPerS !== null ? `-${requestsPerS.toFixed(2)}` : streams !== null ? `-${streams}` : "";
  return `${index}-${strategy.kind}${load}`;
}

function reachedEngine(record: GuidellmReportRecord): boolean {
  if (Number.isNaN(record.requestStartS)) return false;
  if (record.status !== "errored" || !Number.isNaN(record.firstTokenS)) return true;
  const isRefusal = record.error !== null && /\b400\b|context length|too long/i.test(record.error);
  const endS = Number.isNaN(record.requestEndS) ? record.resolveEndS : record.requestEndS;
  return !isRefusal && endS - record.requestStartS >= REJECTED_WITHIN_S;
}

/** Requests in flight at most, where the run was a closed loop; a cap that was never reached makes no loop. */
function closedLoopConcurrency({ strategy }: GuidellmBenchmark, numRequests: number): number | null {
  if (strategy.kind === "synchronous") return 1;
  if (strategy.kind === "concurrent") return strategy.streams ?? strategy.maxConcurrency;
  if (strategy.kind !== "throughput") return null;
  const cap = strategy.maxConcurrency ?? GUIDELLM_MAX_CONCURRENCY;
  return numRequests > cap ? cap : null;
}

function specOf(record: GuidellmReportRecord, i: number, benchmark: GuidellmBenchmark, startS: number): RequestSpec {
  return requestSpec({
    id: record.requestId,
    arrivalUs: Math.round((record.requestStartS - startS) * US_PER_S),
    promptSegments: promptSegments(record, i, benchmark),
    maxTokens: Math.max(1, record.status === "successful" ? (record.outputTokens ?? 1) : cutOffTokens(record)),
    outputContentId: contentId("output", i),
    timeoutUs: Math.round(benchmark.timeoutS * US_PER_S),
  });
}

/** What a request without its end asked for; at least what it got. */
function cutOffTokens(record: GuidellmReportRecord): number {
  return record.maxTokens ?? record.outputTokens ?? 1;
}

/** The benchmark's shared prefix, then tokens of the request's own. */
function promptSegments(record: GuidellmReportRecord, i: number, benchmark: GuidellmBenchmark): TokenSegment[] {
  const promptTokens = Math.max(1, record.promptTokens ?? 1);
  const prefixTokens = benchmark.prefixCount > 1 ? 0 : Math.min(benchmark.prefixTokens, promptTokens);
  const segments: TokenSegment[] = [];
  if (prefixTokens > 0) segments.push({ contentId: contentId("prefix", 0), numTokens: prefixTokens });
  if (promptTokens > prefixTokens) {
    segments.push({ contentId: contentId("prompt", i), numTokens: promptTokens - prefixTokens });
  }
  return segments;
}

function measuredRequest(record: GuidellmReportRecord, spec: RequestSpec): MeasuredRequest {
  return {
    ttftMs: (record.firstTokenS - record.requestStartS) * MS_PER_S,
    e2eMs: (record.requestEndS - record.requestStartS) * MS_PER_S,
    itlMs: spec.maxTokens > 1 ? interTokenLatencyMs(record) : Number.NaN,
    failed: record.status !== "successful",
  };
}

function reportedAggregates({ metrics, numSuccessful }: GuidellmBenchmark, numFailed: number): MeasuredAggregates {
  const quantiles = (distribution: ReportedDistribution | undefined, scale: number): MeasuredQuantiles | null =>
    distribution === undefined
      ? null
      : {
          mean: distribution.mean * scale,
          p50: distribution.median * scale,
          p90: scaled(distribution.percentiles.p90, scale),
          p99: scaled(distribution.percentiles.p99, scale),
        };
  const requestsPerS = metrics.requests_per_second?.successful.mean;
  return {
    e2eMs: quantiles(metrics.request_latency?.successful, MS_PER_S),
    ttftMs: quantiles(metrics.time_to_first_token_ms?.successful, 1),
    itlMs: quantiles(metrics.inter_token_latency_ms?.successful, 1),
    outputTokensPerS: metrics.output_tokens_per_second?.successful.mean ?? null,
    ...(requestsPerS === undefined ? {} : { requestsPerS }),
    numCompleted: numSuccessful,
    numFailed,
  };
}

interface ReportedDistribution {
  readonly mean: number;
  readonly median: number;
  readonly percentiles: Readonly<Record<string, number>>;
}

function scaled(value: number | undefined, scale: number): number | null {
  return value === undefined ? null : value * scale;
}

function outputTokensPerS(records: readonly GuidellmReportRecord[]): number | null {
  let endS = Number.NEGATIVE_INFINITY;
  let numTokens = 0;
  for (const record of records) {
    endS = Math.max(endS, record.requestEndS || Number.NEGATIVE_INFINITY);
    if (record.status === "successful") numTokens += record.outputTokens ?? 0;
  }
  const spanS = endS - (records[0]?.requestStartS ?? 0);
  return spanS > 0 ? numTokens / spanS : null;
}
