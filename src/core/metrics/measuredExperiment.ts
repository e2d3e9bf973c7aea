import type { RequestSpec } from "../request/requestSpec.js";

/** What a benchmark's client saw of one request; NaN where it never happened or was not recorded. */
export interface MeasuredRequest {
  readonly ttftMs: number;
  readonly e2eMs: number;
  /** (E2E − TTFT) / (output tokens − 1): the mean time between its tokens. */
  readonly itlMs: number;
  /** The client got an error, or gave up. Its latencies do not enter any statistic. */
  readonly failed: boolean;
}

/** The engine behind a measured run; null = the files do not say. */
export interface MeasuredEngine {
  readonly maxModelLen: number | null;
  readonly maxNumSeqs: number | null;
  readonly maxNumBatchedTokens: number | null;
  readonly blockSize: number | null;
  /** KV blocks on each GPU. */
  readonly numGpuBlocks: number | null;
  /** As the server printed it, e.g. `0.11.0`. */
  readonly vllmVersion: string | null;
  readonly enablePrefixCaching: boolean | null;
  /** As vLLM names it, e.g. `bfloat16`. */
  readonly dtype: string | null;
}

/** What the requests asked the sampler for; null = the files do not say (then the model's defaults apply). */
export interface MeasuredSampling {
  readonly topP: number | null;
  readonly topK: number | null;
  readonly temperature: number | null;
}

/** A part of a run at one offered load: requests `[firstIndex, endIndex)` of the run's specs. */
export interface MeasuredStage {
  readonly name: string;
  readonly firstIndex: number;
  readonly endIndex: number;
  /** Offered load of the client's plan, requests/s; null when it has none. */
  readonly requestsPerS: number | null;
  /** The client's own aggregates, or null without a file of them. */
  readonly aggregates: MeasuredAggregates | null;
}

/**
 * Aggregates as the client's own report states them, corrected where the report is known to be wrong.
 * null where the report has no such number.
 */
export interface MeasuredAggregates {
  readonly e2eMs: MeasuredQuantiles | null;
  readonly ttftMs: MeasuredQuantiles | null;
  readonly itlMs: MeasuredQuantiles | null;
  readonly outputTokensPerS: number | null;
  /** Completed requests over the client's own measurement window; absent where the report has no such number. */
  readonly requestsPerS?: number;
  readonly numCompleted: number;
  readonly numFailed: number;
}

export interface MeasuredQuantiles {
  readonly mean: number;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
}

/** One benchmark against a server that was idle before: replayed on its own, from time 0. */
export interface MeasuredRun {
  /** Starts with the experiment's name, and is that when there is one run. */
  readonly name: string;
  /** How the load was offered, in GuideLLM's words; absent where the client has none. */
  readonly strategy?: string;
  /**
   * Requests in flight at most, each new one sent when another ends, where the run was a closed loop
   * (`specs` then keep their measured arrivals, which an open-loop replay may use); null = open loop.
   */
  readonly closedLoopConcurrency: number | null;
  /** What was sent, by measured arrival; the first arrives at 0. */
  readonly specs: readonly RequestSpec[];
  /** Parallel to `specs`; empty when the files hold no per-request latencies. */
  readonly measured: readonly MeasuredRequest[];
  /** At least one. */
  readonly stages: readonly MeasuredStage[];
  /** The client's own aggregates of the whole run. */
  readonly aggregates: MeasuredAggregates | null;
  /** Measured output tokens/s of completed requests, true lengths, first arrival to last end; null if unknown. */
  readonly outputTokensPerS: number | null;
  /** Why a fair comparison is impossible, in words for the report; null when it is possible. */
  readonly excluded: string | null;
}

export type MeasuredClient = "inference-perf" | "guidellm" | "roofserve";

/** A server and what was measured on it, whatever the benchmark tool: the one type that evaluation reads. */
export interface MeasuredExperiment {
  readonly name: string;
  /** Hugging Face id, or what the server was told. */
  readonly model: string;
  /** GPU as the files name it; usually they do not. */
  readonly gpu: string | null;
  readonly tensorParallelSize: number;
  readonly engine: MeasuredEngine;
  readonly sampling: MeasuredSampling;
  readonly client: MeasuredClient;
  /** Day of the first request (UTC, `2026-01-20`), where the files' clock says it. */
  readonly measuredOn?: string;
  readonly runs: readonly MeasuredRun[];
  /** What had to be assumed or corrected while reading, each a sentence. */
  readonly notes: readonly string[];
}

/** Share of failed requests above which latencies say more about the client's patience than about the server. */
export const MAX_FAILED_FRACTION = 0.1;

/** The reason to exclude a run with so many failures, or null. */
export function exclusionReason(numFailed: number, numRequests: number, cause: string): string | null {
  if (numRequests === 0) return "no requests";
  const fraction = numFailed / numRequests;
  if (fraction <= MAX_FAILED_FRACTION) return null;
  return `${Math.round(fraction * 100)} % of requests failed ${cause}`;
}
