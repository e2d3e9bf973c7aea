import { type Distribution, distribution, repeatedDistribution } from "../metrics/distribution.js";
import type { MeasuredRequest } from "../metrics/measuredExperiment.js";
import type { RequestRecord } from "../metrics/requestRecord.js";
import { e2eMs, interTokenMs, ttftMs } from "../metrics/runMetrics.js";
import { US_PER_MS, US_PER_S } from "../units/units.js";

/** One number measured and predicted; `ape` = |predicted − measured| / measured in percent, null without both. */
export interface Comparison {
  readonly measured: number | null;
  readonly predicted: number | null;
  readonly ape: number | null;
}

/** A latency's mean and percentiles, measured beside predicted. */
export interface LatencyComparison {
  readonly mean: Comparison;
  readonly p50: Comparison;
  readonly p90: Comparison;
  readonly p99: Comparison;
}

export interface RunComparison {
  /** Requests that completed in both worlds: only they are compared. */
  readonly numCompared: number;
  readonly metrics: {
    readonly e2eMs: LatencyComparison;
    readonly ttftMs: LatencyComparison;
    readonly itlMs: LatencyComparison;
    readonly outputTokensPerS: Comparison;
  };
  /** Mean over requests of the absolute percentage error of each; has a floor of arrival-phase noise. */
  readonly perRequest: { readonly e2eMape: number | null; readonly ttftMape: number | null };
}

/**
 * Lays a replay beside what was measured, request by request.
 * ITL is weighted by tokens (each request's mean gap counts its output tokens − 1 times), as GuideLLM does.
 * @param measured parallel to `records` (same request at the same index)
 */
export function compareRun(measured: readonly MeasuredRequest[], records: readonly RequestRecord[]): RunComparison {
  const pairs = comparedIndices(measured, records);
  const seen = pairs.map((i) => measured[i] as MeasuredRequest);
  const simulated = pairs.map((i) => records[i] as RequestRecord);
  const weights = simulated.map((record) => Math.max(0, record.numOutputTokens - 1));
  return {
    numCompared: pairs.length,
    metrics: {
      e2eMs: compareLatency(distribution(seen.map((r) => r.e2eMs)), distribution(simulated.map(e2eMs))),
      ttftMs: compareLatency(distribution(seen.map((r) => r.ttftMs)), distribution(simulated.map(ttftMs))),
      itlMs: compareLatency(
        repeatedDistribution(
          seen.map((r) => r.itlMs),
          weights,
        ),
        repeatedDistribution(simulated.map(interTokenMs), weights),
      ),
      outputTokensPerS: compare(
        outputTokensPerS(
          simulated,
          seen.map((r) => r.e2eMs),
        ),
        outputTokensPerS(simulated, simulated.map(e2eMs)),
      ),
    },
    perRequest: {
      e2eMape: meanApe(
        seen.map((r) => r.e2eMs),
        simulated.map(e2eMs),
      ),
      ttftMape: meanApe(
        seen.map((r) => r.ttftMs),
        simulated.map(ttftMs),
      ),
    },
  };
}

/** Requests that completed in both worlds, ascending: only they are compared. */
export function comparedIndices(measured: readonly MeasuredRequest[], records: readonly RequestRecord[]): number[] {
  const indices: number[] = [];
  for (let i = 0; i < measured.length; i++) {
    if (measured[i]?.failed === false && records[i]?.status === "completed") indices.push(i);
  }
  return indices;
}

/** Compares two numbers; null where either is missing or the measured one is 0. */
export function compare(measured: number | null, predicted: number | null): Comparison {
  const ape = measured === null || predicted === null || measured === 0 ? null : absolutePercent(measured, predicted);
  return { measured, predicted, ape };
}

function compareLatency(measured: Distribution, predicted: Distribution): LatencyComparison {
  return {
    mean: compare(measured.mean, predicted.mean),
    p50: compare(measured.p50, predicted.p50),
    p90: compare(measured.p90, predicted.p90),
    p99: compare(measured.p99, predicted.p99),
  };
}

/** Σ output tokens over the span from the first arrival to the last end; arrivals are the same in both worlds. */
function outputTokensPerS(records: readonly RequestRecord[], latenciesMs: readonly number[]): number | null {
  let firstUs = Number.POSITIVE_INFINITY;
  let lastUs = 0;
  let numTokens = 0;
  records.forEach((record, i) => {
    firstUs = Math.min(firstUs, record.arrivalUs);
    lastUs = Math.max(lastUs, record.arrivalUs + (latenciesMs[i] as number) * US_PER_MS);
    numTokens += record.numOutputTokens;
  });
  return lastUs > firstUs ? numTokens / ((lastUs - firstUs) / US_PER_S) : null;
}

/** Mean over requests of each one's absolute percentage error; null where no measured value is above 0. */
export function meanApe(measured: readonly number[], predicted: readonly number[]): number | null {
  let sum = 0;
  let count = 0;
  measured.forEach((value, i) => {
    if (!(value > 0)) return;
    sum += absolutePercent(value, predicted[i] as number);
    count++;
  });
  return count === 0 ? null : sum / count;
}

function absolutePercent(measured: number, predicted: number): number {
  return (Math.abs(predicted - measured) / measured) * 100;
}
