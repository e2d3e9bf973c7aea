import { type Quantiles, quantiles, repeatedQuantiles } from "../metrics/quantiles.js";
import type { RequestRecord } from "../metrics/requestRecord.js";
import { e2eMs, interTokenMs, ttftMs } from "../metrics/runMetrics.js";
import { comparedIndices } from "./compareRun.js";
import type { ReplayedRun } from "./evaluateRun.js";

/** One latency's distribution in both worlds; null where it has none. */
export interface TwoWorlds {
  readonly measured: Quantiles | null;
  readonly predicted: Quantiles | null;
}

/** A run's latencies over the requests that completed in both worlds, as `compareRun` takes them. */
export type MeasuredQuantiles = Readonly<Record<"ttftMs" | "itlMs" | "e2eMs", TwoWorlds>>;

export function measuredQuantiles({ run, records }: Pick<ReplayedRun, "run" | "records">): MeasuredQuantiles {
  const pairs = comparedIndices(run.measured, records);
  const simulated = pairs.map((i) => records[i] as RequestRecord);
  const seen = pairs.map((i) => run.measured[i]!);
  const numGaps = simulated.map(({ numOutputTokens }) => Math.max(0, numOutputTokens - 1));
  return {
    ttftMs: { measured: quantiles(seen.map((r) => r.ttftMs)), predicted: quantiles(simulated.map(ttftMs)) },
    itlMs: {
      measured: repeatedQuantiles(
        seen.map((r) => r.itlMs),
        numGaps,
      ),
      predicted: repeatedQuantiles(simulated.map(interTokenMs), numGaps),
    },
    e2eMs: { measured: quantiles(seen.map((r) => r.e2eMs)), predicted: quantiles(simulated.map(e2eMs)) },
  };
}
