import { distribution } from "./distribution.js";
import { INTERVAL_LEVEL, type Interval, interval80 } from "./interval.js";
import type { RunMetrics } from "./runMetrics.js";

/** Statistics of a latency that get an interval. */
export const HEADLINE_STATISTICS = ["mean", "p50", "p90", "p99"] as const;
export type HeadlineStatistic = (typeof HEADLINE_STATISTICS)[number];

/** Latencies that get an interval. */
export const HEADLINE_LATENCIES = ["ttftMs", "tpotMs", "itlMs", "gapMs", "e2eMs"] as const;
export type HeadlineLatency = (typeof HEADLINE_LATENCIES)[number];

/** One thing for each headline number of a run; null where the run has no such number. */
export type OfHeadlines<T> = Readonly<Record<HeadlineLatency, Readonly<Record<HeadlineStatistic, T | null>>>> & {
  readonly throughput: Readonly<Record<"requestsPerS" | "outputTokensPerS", T | null>>;
};

/** Intervals of a run's headline numbers: `uncertainty` in `roofserve.run/1`. */
export interface RunUncertainty {
  /** Share of possible worlds that an interval holds. */
  readonly level: number;
  /** Worlds simulated. */
  readonly draws: number;
  /** Each holds the run's own number, and reaches to it where the worlds alone would not. */
  readonly intervals: OfHeadlines<Interval>;
  /**
   * The middle of the worlds. Where a seed makes the workload the run is one draw more, and its own number may lie well away
   * from the middle.
   */
  readonly medians: OfHeadlines<number>;
  /** What was taken for uncertain, a sentence each. */
  readonly sources: readonly string[];
}

/** Intervals about a run's numbers from the same numbers in possible worlds. */
export function runUncertainty(
  central: RunMetrics,
  draws: readonly RunMetrics[],
  sources: readonly string[],
): RunUncertainty {
  return {
    level: INTERVAL_LEVEL,
    draws: draws.length,
    intervals: ofHeadlines((pick) => interval80(draws.map(pick), pick(central))),
    medians: ofHeadlines((pick) => distribution(draws.map(pick).filter((value) => value !== null)).p50),
    sources,
  };
}

/** @param of given what picks a number out of a run */
export function ofHeadlines<T>(of: (pick: (metrics: RunMetrics) => number | null) => T | null): OfHeadlines<T> {
  const latencies = HEADLINE_LATENCIES.map((latency) => {
    const statistics = HEADLINE_STATISTICS.map((name) => [name, of((metrics) => metrics[latency][name])]);
    return [latency, Object.fromEntries(statistics)];
  });
  return {
    ...(Object.fromEntries(latencies) as Omit<OfHeadlines<T>, "throughput">),
    throughput: {
      requestsPerS: of(({ throughput }) => throughput.requestsPerS),
      outputTokensPerS: of(({ throughput }) => throughput.outputTokensPerS),
    },
  };
}
