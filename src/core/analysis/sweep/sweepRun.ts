import type { RunSummary, StreamedResult } from "../../engine/simulate.js";
import { quantiles } from "../../metrics/quantiles.js";
import type { RecordColumns, SummarisedRecord } from "../../metrics/recordColumns.js";
import { completedColumn, e2eMs, interTokenMs, ttftMs } from "../../metrics/runMetrics.js";
import { US_PER_S } from "../../units/units.js";
import { turnsPerStart } from "../../workload/turnsPerStart.js";

/** Digits kept of a quantile: it is there to be drawn. */
const QUANTILE_DIGITS = 6;

/** Latencies of completed requests at 0 %, 1 %, … 100 %: `[101]`, or empty when none completed. */
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
  /** Requests of an arrival in the long run: the mean turns of a session, 1 without sessions. */
  readonly turnsPerStart: number;
  readonly quantiles: LatencyQuantiles;
}

/** Takes from a finished simulation what a sweep keeps: some kilobytes, however many requests there were. */
export function sweepRunOf({ summary, columns }: StreamedResult): SweepRun {
  const { schema: _schema, version: _version, config, uncertainty: _uncertainty, ...numbers } = summary;
  return {
    ...numbers,
    arrivalSpanS: arrivalSpanUs(columns) / US_PER_S,
    turnsPerStart: turnsPerStart(config.workload.data),
    quantiles: {
      ttftMs: quantilesOf(columns, ttftMs),
      tpotMs: quantilesOf(columns, interTokenMs),
      e2eMs: quantilesOf(columns, e2eMs),
    },
  };
}

/** Requests stand in the order in which they were submitted. */
function arrivalSpanUs(columns: RecordColumns): number {
  return columns.length === 0 ? 0 : columns.at(columns.length - 1).arrivalUs - columns.at(0).arrivalUs;
}

function quantilesOf(columns: RecordColumns, latencyMs: (record: SummarisedRecord) => number): number[] {
  const values = quantiles(completedColumn(columns, latencyMs)) ?? [];
  return values.map((value) => Number(value.toPrecision(QUANTILE_DIGITS)));
}
