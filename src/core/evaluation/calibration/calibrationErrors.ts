import { type ClientResidual, withClientResidual } from "../../metrics/clientResidual.js";
import type { MeasuredRun } from "../../metrics/measuredExperiment.js";
import type { RequestRecord } from "../../metrics/requestRecord.js";
import { e2eMs, interTokenMs, ttftMs } from "../../metrics/runMetrics.js";

/** Mean over requests of each one's |error|, percent of the measured value; null without requests. */
export interface RequestErrors {
  readonly numRequests: number;
  readonly e2eMape: number | null;
  readonly ttftMape: number | null;
  readonly itlMape: number | null;
}

/** Some requests of a replayed run. */
export interface ComparedRequests {
  readonly run: MeasuredRun;
  readonly records: readonly RequestRecord[];
  readonly indices: readonly number[];
}

/** Errors over requests of one or more runs, each request counted once. */
export function requestErrors(parts: readonly ComparedRequests[], residual: ClientResidual | null): RequestErrors {
  const pairs = parts.flatMap(({ run, records, indices }) =>
    indices
      .filter((i) => records[i]?.status === "completed")
      .map((i) => {
        const record = records[i]!;
        return { seen: run.measured[i]!, record: residual === null ? record : withClientResidual(record, residual) };
      }),
  );
  const mape = (measured: (pair: (typeof pairs)[number]) => number, simulated: (record: RequestRecord) => number) =>
    meanPercent(pairs.map((pair) => (Math.abs(simulated(pair.record) - measured(pair)) / measured(pair)) * 100));
  return {
    numRequests: pairs.length,
    e2eMape: mape(({ seen }) => seen.e2eMs, e2eMs),
    ttftMape: mape(({ seen }) => seen.ttftMs, ttftMs),
    itlMape: mape(({ seen }) => seen.itlMs, interTokenMs),
  };
}

function meanPercent(percents: readonly number[]): number | null {
  const finite = percents.filter(Number.isFinite);
  return finite.length === 0 ? null : finite.reduce((sum, percent) => sum + percent, 0) / finite.length;
}
