import type { RunSummary, SimulationResult } from "../../engine/simulate.js";
import { sortedPercentile } from "../../metrics/distribution.js";
import type { RequestRecord } from "../../metrics/requestRecord.js";
import { e2eMs, interTokenMs, ttftMs } from "../../metrics/runMetrics.js";
import { sortedNumbers } from "../../metrics/weightedValues.js";
import { US_PER_S } from "../../units/units.js";

/** Quantiles kept of each latency: 0 %, 1 %, … 100 %. */
export const NUM_QUANTILES = 101;

/** Digits kept of a quantile: it is there to be drawn. */
const QUANTILE_DIGITS = 6;

/** Latencies of completed requests at 0 %, 1 %, … 100 %: `[NUM_QUANTILES]`, or empty when none completed. */
export interface LatencyQuantiles {
  readonly ttftMs: readonly number[];
  /** One value per request of two output tokens or more. */
  readonly tpotMs: readonly number[];
  readonly e2eMs: readonly number[];
}

/** What a sweep keeps of one simulation: the run's summary without what the sweep says once, and its latency curves. */
export interface SweepRun extends Omit<RunSummary, "schema" | "version" | "config" | "uncertainty"> {
  /** From the first arrival to the last, s. */
  readonly arrivalSpanS: number;
  readonly quantiles: LatencyQuantiles;
}

/** Takes from a finished simulation what a sweep keeps: some kilobytes, however many requests there were. */
export function sweepRunOf({ summary, records }: Pick<SimulationResult, "summary" | "records">): SweepRun {
  const { schema: _schema, version: _version, config: _config, uncertainty: _uncertainty, ...numbers } = summary;
  const completed = records.filter(({ status }) => status === "completed");
  return {
    ...numbers,
    arrivalSpanS: ((records.at(-1)?.arrivalUs ?? 0) - (records[0]?.arrivalUs ?? 0)) / US_PER_S,
    quantiles: {
      ttftMs: quantilesOf(completed, ttftMs),
      tpotMs: quantilesOf(completed, interTokenMs),
      e2eMs: quantilesOf(completed, e2eMs),
    },
  };
}

function quantilesOf(records: readonly RequestRecord[], latencyMs: (record: RequestRecord) => number): number[] {
  const sorted = sortedNumbers(records.map(latencyMs));
  if (sorted.length === 0) return [];
  return Array.from({ length: NUM_QUANTILES }, (_, i) => {
    const value = sortedPercentile(sorted, i / (NUM_QUANTILES - 1));
    return Number(value.toPrecision(QUANTILE_DIGITS));
  });
}
