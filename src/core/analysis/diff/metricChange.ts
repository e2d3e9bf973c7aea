import { HEADLINE_LATENCIES, HEADLINE_STATISTICS } from "../../metrics/runUncertainty.js";
import type { ComparedNumbers } from "./comparedRun.js";

/** Whether more of a number is better, worse, or neither by itself. */
export type Better = "higher" | "lower" | null;

/** A number, before and after; null where a run has none. */
export interface Change {
  readonly a: number | null;
  readonly b: number | null;
  /** b − a; null where one is missing. */
  readonly change: number | null;
  /** `change` as a fraction of a; null where that is 0 or missing. */
  readonly relative: number | null;
}

/** A number of two runs. */
export interface MetricChange extends Change {
  /** Where it stands in `roofserve.run/1`. */
  readonly name: string;
  /** What clients see, or what the engine did to that end. */
  readonly group: "service" | "engine";
  readonly better: Better;
}

interface Metric extends Pick<MetricChange, "name" | "group" | "better"> {
  /** Whether it follows from what clients send: more of that is no merit of the server. */
  readonly isOfLoad?: boolean;
  readonly of: (summary: ComparedNumbers) => number | null;
}

const METRICS: readonly Metric[] = [
  ...HEADLINE_LATENCIES.flatMap((latency) =>
    HEADLINE_STATISTICS.map(
      (statistic): Metric => ({
        name: `${latency}.${statistic}`,
        group: "service",
        better: "lower",
        of: (summary) => summary[latency][statistic],
      }),
    ),
  ),
  ofLoad("throughput.requestsPerS", "higher", ({ throughput }) => throughput.requestsPerS),
  ofLoad("throughput.promptTokensPerS", "higher", ({ throughput }) => throughput.promptTokensPerS),
  ofLoad("throughput.outputTokensPerS", "higher", ({ throughput }) => throughput.outputTokensPerS),
  ofLoad("requests.submitted", null, ({ requests }) => requests.submitted),
  ofLoad("requests.completed", "higher", ({ requests }) => requests.completed),
  ofLoad("requests.rejected", "lower", ({ requests }) => requests.rejected),
  ofLoad("requests.aborted", "lower", ({ requests }) => requests.aborted),
  ofLoad("requests.unfinished", "lower", ({ requests }) => requests.unfinished),
  ...HEADLINE_STATISTICS.map((statistic) =>
    engine(`queueMs.${statistic}`, "lower", ({ queueMs }) => queueMs[statistic]),
  ),
  engine("engine.simulatedS", null, (run) => run.engine.simulatedS),
  engine("engine.steps", null, (run) => run.engine.steps),
  engine("engine.preemptions", "lower", (run) => run.engine.preemptions),
  engine("engine.numGpuBlocks", null, (run) => run.engine.numGpuBlocks),
  engine("engine.kvPeakUsedFraction", null, (run) => run.engine.kvPeakUsedFraction),
  engine("engine.prefixCacheHitFraction", "higher", (run) => run.engine.prefixCacheHitFraction),
  engine("engine.busyFraction", null, (run) => run.engine.busyFraction),
  engine("engine.frontEndBusyFraction", null, (run) => run.engine.frontEndBusyFraction),
  engine("regime.utilisation", null, ({ regime }) => regime.utilisation),
];

function ofLoad(name: string, better: Better, of: Metric["of"]): Metric {
  return { name, group: "service", better, isOfLoad: true, of };
}

function engine(name: string, better: Better, of: Metric["of"]): Metric {
  return { name, group: "engine", better, of };
}

/** Two numbers side by side. */
export function changeOf(a: number | null, b: number | null): Change {
  const change = a === null || b === null ? null : b - a;
  return { a, b, change, relative: change === null || a === null || a === 0 ? null : change / a };
}

/**
 * Every headline number of two runs: what clients see before what the engine did.
 * @param isSameLoad whether both were sent the same; else no throughput and no count is better or worse than another
 */
export function metricChanges(a: ComparedNumbers, b: ComparedNumbers, isSameLoad = true): MetricChange[] {
  return METRICS.map(
    ({ name, group, better, isOfLoad = false, of }): MetricChange => ({
      name,
      group,
      better: isOfLoad && !isSameLoad ? null : better,
      ...changeOf(of(a), of(b)),
    }),
  );
}
