import { type Comparison, compare, type RunComparison } from "../../../../../src/core/evaluation/compareRun.js";

type MeasuredAndPredicted = readonly [measured: number, predicted: number];

const NOTHING: Comparison = { measured: null, predicted: null, ape: null };

/** A comparison that knows means only. */
export function comparison(means: {
  readonly e2e?: MeasuredAndPredicted;
  readonly ttft?: MeasuredAndPredicted;
  readonly tpot?: MeasuredAndPredicted;
}): RunComparison {
  const latency = ([measured, predicted]: MeasuredAndPredicted = [1, 1]) => ({
    mean: compare(measured, predicted),
    p50: NOTHING,
    p90: NOTHING,
    p99: NOTHING,
  });
  return {
    numCompared: 1,
    metrics: {
      e2eMs: latency(means.e2e),
      ttftMs: latency(means.ttft),
      itlMs: latency(means.tpot),
      outputTokensPerS: NOTHING,
    },
    perRequest: { e2eMape: null, ttftMape: null },
  };
}
