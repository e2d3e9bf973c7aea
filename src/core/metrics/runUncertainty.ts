import { INTERVAL_LEVEL, type Interval, interval80 } from "./interval.js";
import type { RunMetrics } from "./runMetrics.js";

/** Statistics of a latency that get an interval. */
export const HEADLINE_STATISTICS = ["mean", "p50", "p90", "p99"] as const;
export type HeadlineStatistic = (typeof HEADLINE_STATISTICS)[number];

/** Latencies that get an interval. */
export const HEADLINE_LATENCIES = ["ttftMs", "tpotMs", "itlMs", "e2eMs"] as const;
export type HeadlineLatency = (typeof HEADLINE_LATENCIES)[number];

export type LatencyIntervals = Readonly<Record<HeadlineStatistic, Interval | null>>;

/** Intervals of a run's headline numbers: `uncertainty` in `roofserve.run/1`. */
export interface RunUncertainty {
  /** Share of possible worlds that an interval holds. */
  readonly level: number;
  /** Worlds simulated. */
  readonly draws: number;
  readonly intervals: Readonly<Record<HeadlineLatency, LatencyIntervals>> & {
    readonly throughput: Readonly<Record<"requestsPerS" | "outputTokensPerS", Interval | null>>;
  };
  /** What was taken for uncertain, a sentence each. */
  readonly sources: readonly string[];
}

/** Intervals about a run's numbers from the same numbers in possible worlds. */
export function runUncertainty(
  central: RunMetrics,
  draws: readonly RunMetrics[],
  sources: readonly string[],
): RunUncertainty {
  const interval = (pick: (metrics: RunMetrics) => number | null) => interval80(draws.map(pick), pick(central));
  const latencies = HEADLINE_LATENCIES.map((latency) => {
    const statistics = HEADLINE_STATISTICS.map((name) => [name, interval((metrics) => metrics[latency][name])]);
    return [latency, Object.fromEntries(statistics)];
  });
  return {
    level: INTERVAL_LEVEL,
    draws: draws.length,
    intervals: {
      ...(Object.fromEntries(latencies) as Record<HeadlineLatency, LatencyIntervals>),
      throughput: {
        requestsPerS: interval(({ throughput }) => throughput.requestsPerS),
        outputTokensPerS: interval(({ throughput }) => throughput.outputTokensPerS),
      },
    },
    sources,
  };
}
