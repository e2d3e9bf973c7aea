import { US_PER_MS, US_PER_S } from "../units/units.js";
import { type Distribution, distributionOfSorted, repeatedDistributionOfSorted } from "./distribution.js";
import type { RequestRecord } from "./requestRecord.js";
import { ValueSort } from "./valueSort.js";
import { sortNumbers, sortPairs } from "./weightedValues.js";

/** How many requests ended in which way; the four outcomes add up to `submitted`. */
export interface RequestCounts {
  readonly submitted: number;
  readonly completed: number;
  readonly rejected: number;
  /** Given up by the client's timeout. */
  readonly aborted: number;
  /** Still waiting or running when the run stopped. */
  readonly unfinished: number;
}

/** Rates over the whole run: from the first arrival to the last thing any client saw. Null when that span is 0. */
export interface Throughput {
  readonly requestsPerS: number | null;
  readonly promptTokensPerS: number | null;
  readonly outputTokensPerS: number | null;
}

/** The run summary's request-side part, as in the `roofserve.run/1` contract. */
export interface RunMetrics {
  readonly requests: RequestCounts;
  /** First token minus arrival. */
  readonly ttftMs: Distribution;
  /** (E2E − TTFT) / (output tokens − 1), one value per request of ≥ 2 output tokens. */
  readonly tpotMs: Distribution;
  /** The same value, weighted with its output tokens − 1: per token rather than per request. */
  readonly itlMs: Distribution;
  /** Last token minus arrival. */
  readonly e2eMs: Distribution;
  /** Wait between the engine core's acceptance and the first schedule. */
  readonly queueMs: Distribution;
  readonly throughput: Throughput;
}

/**
 * Summarises a run. Latencies and throughput count completed requests only (a request that was cut off would
 * drag a mean down just because it was slow); the span of the throughput covers all requests.
 */
export function summariseRecords(records: readonly RequestRecord[]): RunMetrics {
  const requests = countRequests(records);
  const columns = latencyColumns(records, requests.completed);
  const sorter = new ValueSort();
  const distribution = (column: Float64Array) => distributionOfSorted(sortNumbers(column, sorter));
  const interToken = sortPairs(columns.interTokenMs, columns.numGaps, sorter);
  return {
    requests,
    ttftMs: distribution(columns.ttftMs),
    tpotMs: distributionOfSorted(interToken.values),
    itlMs: repeatedDistributionOfSorted(interToken.values, interToken.weights),
    e2eMs: distribution(columns.e2eMs),
    queueMs: distribution(columns.queueMs),
    throughput: throughput(records),
  };
}

/** What the distributions are of, a number per completed request. */
function latencyColumns(records: readonly RequestRecord[], numCompleted: number) {
  const columns = {
    ttftMs: new Float64Array(numCompleted),
    interTokenMs: new Float64Array(numCompleted),
    /** Gaps between output tokens, each as long as `interTokenMs` on average. */
    numGaps: new Float64Array(numCompleted),
    e2eMs: new Float64Array(numCompleted),
    queueMs: new Float64Array(numCompleted),
  };
  let row = 0;
  for (const record of records) {
    if (record.status !== "completed") continue;
    columns.ttftMs[row] = ttftMs(record);
    columns.interTokenMs[row] = interTokenMs(record);
    columns.numGaps[row] = Math.max(record.numOutputTokens - 1, 0);
    columns.e2eMs[row] = e2eMs(record);
    columns.queueMs[row++] = record.queueUs / US_PER_MS;
  }
  return columns;
}

/** Time to first token, ms; NaN when there was none. */
export function ttftMs(record: RequestRecord): number {
  return (record.firstTokenUs - record.arrivalUs) / US_PER_MS;
}

/** End-to-end latency, ms; NaN when no token was made. */
export function e2eMs(record: RequestRecord): number {
  return (record.lastTokenUs - record.arrivalUs) / US_PER_MS;
}

/** Mean time between a request's output tokens, ms; NaN below two tokens. */
export function interTokenMs(record: RequestRecord): number {
  if (record.numOutputTokens < 2) return Number.NaN;
  return (record.lastTokenUs - record.firstTokenUs) / (record.numOutputTokens - 1) / US_PER_MS;
}

function countRequests(records: readonly RequestRecord[]): RequestCounts {
  const counts = { submitted: records.length, completed: 0, rejected: 0, aborted: 0, unfinished: 0 };
  for (const record of records) counts[record.status]++;
  return counts;
}

function throughput(records: readonly RequestRecord[]): Throughput {
  const spanS = runSpanUs(records) / US_PER_S;
  if (!(spanS > 0)) return { requestsPerS: null, promptTokensPerS: null, outputTokensPerS: null };
  let numCompleted = 0;
  let promptTokens = 0;
  let outputTokens = 0;
  for (const record of records) {
    if (record.status !== "completed") continue;
    numCompleted++;
    promptTokens += record.numPromptTokens;
    outputTokens += record.numOutputTokens;
  }
  return {
    requestsPerS: numCompleted / spanS,
    promptTokensPerS: promptTokens / spanS,
    outputTokensPerS: outputTokens / spanS,
  };
}

/** From the first arrival to the last arrival or token, µs; 0 without requests. */
export function runSpanUs(records: readonly RequestRecord[]): number {
  let startUs = Number.POSITIVE_INFINITY;
  let endUs = Number.NEGATIVE_INFINITY;
  for (const record of records) {
    startUs = Math.min(startUs, record.arrivalUs);
    endUs = Math.max(endUs, record.arrivalUs);
    if (record.lastTokenUs > endUs) endUs = record.lastTokenUs;
  }
  return endUs > startUs ? endUs - startUs : 0;
}
