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
  service("throughput.requestsPerS", "higher", ({ throughput }) => throughput.requestsPerS),
  service("throughput.promptTokensPerS", "higher", ({ throughput }) => throughput.promptTokensPerS),
  service("throughput.outputTokensPerS", "higher", ({ throughput }) => throughput.outputTokensPerS),
  service("requests.submitted", null, ({ requests }) => requests.submitted),
  service("requests.completed", "higher", ({ requests }) => requests.completed),
  service("requests.rejected", "lower", ({ requests }) => requests.rejected),
  service("requests.aborted", "lower", ({ requests }) => requests.aborted),
  service("requests.unfinished", "lower", ({ requests }) => requests.unfinished),
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

function service(name: string, better: Better, of: Metric["of"]): Metric {
  return { name, group: "service", better, of };
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
 * Every headline number of two runs: what clients see before what the engine did, in both the largest relative change
 * first, with what came from or went to nothing before all others.
 */
export function metricChanges(a: ComparedNumbers, b: ComparedNumbers): MetricChange[] {
  const changes = METRICS.map(
    ({ name, group, better, of }): MetricChange => ({ name, group, better, ...changeOf(of(a), of(b)) }),
  );
  const inGroup = (wanted: MetricChange["group"]) =>
    changes.filter(({ group }) => group === wanted).sort((x, y) => weight(y) - weight(x));
  return [...inGroup("service"), ...inGroup("engine")];
}

/** Factor between the two numbers as a distance, the same in both directions; 0 where there is nothing to compare. */
function weight({ a, b, change }: MetricChange): number {
  if (change === null || change === 0) return 0;
  if (a === null || b === null || a === 0 || b === 0) return Number.MAX_VALUE;
  return Math.abs(Math.log(b / a));
}
