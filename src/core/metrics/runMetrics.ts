import { US_PER_MS, US_PER_S } from "../units/units.js";
import type { BinnedCounts } from "./binnedCounts.js";
import {
  type Distribution,
  distributionOfSorted,
  EMPTY_DISTRIBUTION,
  repeatedDistributionOfSorted,
} from "./distribution.js";
import { RecordColumns, type RequestCounts, type SummarisedRecord } from "./recordColumns.js";
import type { RequestRecord } from "./requestRecord.js";
import { ValueSort } from "./valueSort.js";
import { sortNumbers, sortPairs } from "./weightedValues.js";

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
  /**
   * Single times between two output tokens: all that any client saw, also of requests that did not complete, whose gaps are
   * not told apart. What `vllm bench serve` calls ITL, which leaves failed requests out. Exact but for percentiles and
   * stddev, which are at most 0.2 % of a gap off. Of nothing where only records are known.
   */
  readonly gapMs: Distribution;
  /** Last token minus arrival. */
  readonly e2eMs: Distribution;
  /** Wait between the engine core's acceptance and the first schedule. */
  readonly queueMs: Distribution;
  readonly throughput: Throughput;
}

/** `summariseColumns` of records, in any order; they keep no single gaps. */
export function summariseRecords(records: readonly RequestRecord[]): RunMetrics {
  return summariseColumns(RecordColumns.of(records));
}

/**
 * Summarises a run. Latencies and throughput count completed requests only (a request that was cut off would
 * drag a mean down just because it was slow); the span of the throughput covers all requests.
 * Needs room for four more numbers per request while it works.
 * @param gapsUs the run's `EngineStats.gapsUs`
 */
export function summariseColumns(requests: RecordColumns, gapsUs: BinnedCounts | null = null): RunMetrics {
  const sorter = new ValueSort();
  // One array for all, one after the other: a long run has no room for five.
  const values = new Float64Array(requests.counts.completed);
  const distribution = (numberOf: (record: SummarisedRecord) => number) =>
    distributionOfSorted(sortNumbers(fillCompleted(values, requests, numberOf), sorter));
  const ttft = distribution(ttftMs);
  const e2e = distribution(e2eMs);
  const queue = distribution(({ queueUs }) => queueUs / US_PER_MS);
  const weights = completedColumn(requests, numGaps);
  const interToken = sortPairs(fillCompleted(values, requests, interTokenMs), weights, sorter);
  return {
    requests: { ...requests.counts },
    ttftMs: ttft,
    tpotMs: distributionOfSorted(interToken.values),
    itlMs: repeatedDistributionOfSorted(interToken.values, interToken.weights),
    gapMs: gapsUs === null ? EMPTY_DISTRIBUTION : gapsUs.distribution(US_PER_MS),
    e2eMs: e2e,
    queueMs: queue,
    throughput: throughput(requests),
  };
}

/** A number of every completed request, in the order of the rows. */
export function completedColumn(requests: RecordColumns, numberOf: (record: SummarisedRecord) => number): Float64Array {
  return fillCompleted(new Float64Array(requests.counts.completed), requests, numberOf);
}

/** @param values a place for each completed request */
function fillCompleted(
  values: Float64Array,
  requests: RecordColumns,
  numberOf: (record: SummarisedRecord) => number,
): Float64Array {
  let place = 0;
  for (let row = 0; row < requests.length; row++) {
    const record = requests.at(row);
    if (record.status === "completed") values[place++] = numberOf(record);
  }
  return values;
}

/** Time to first token, ms; NaN when there was none. */
export function ttftMs(record: Pick<RequestRecord, "arrivalUs" | "firstTokenUs">): number {
  return (record.firstTokenUs - record.arrivalUs) / US_PER_MS;
}

/** End-to-end latency, ms; NaN when no token was made. */
export function e2eMs(record: Pick<RequestRecord, "arrivalUs" | "lastTokenUs">): number {
  return (record.lastTokenUs - record.arrivalUs) / US_PER_MS;
}

/** Mean time between a request's output tokens, ms; NaN below two tokens. */
export function interTokenMs(record: Pick<RequestRecord, "firstTokenUs" | "lastTokenUs" | "numOutputTokens">): number {
  if (record.numOutputTokens < 2) return Number.NaN;
  return (record.lastTokenUs - record.firstTokenUs) / (record.numOutputTokens - 1) / US_PER_MS;
}

/** Gaps between output tokens, each as long as `interTokenMs` on average. */
function numGaps({ numOutputTokens }: SummarisedRecord): number {
  return Math.max(numOutputTokens - 1, 0);
}

function throughput(requests: RecordColumns): Throughput {
  const spanS = requests.spanUs / US_PER_S;
  if (!(spanS > 0)) return { requestsPerS: null, promptTokensPerS: null, outputTokensPerS: null };
  return {
    requestsPerS: requests.counts.completed / spanS,
    promptTokensPerS: requests.numPromptTokens / spanS,
    outputTokensPerS: requests.numOutputTokens / spanS,
  };
}
