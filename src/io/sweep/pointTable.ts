import { standing } from "../../core/analysis/sweep/saturation.js";
import type { MeasuredPoint, PointResult } from "../../core/analysis/sweep/sweepPoint.js";
import { isMeasured } from "../../core/analysis/sweep/sweepPoint.js";
import type { SweepResult } from "../../core/analysis/sweep/sweepResult.js";
import { HEADLINE_LATENCIES, type HeadlineLatency } from "../../core/metrics/runUncertainty.js";
import { configCell, csvLine } from "../results/csvCells.js";

type Cell = string | number | boolean | null;

/** Columns of a point's numbers, by name; empty where the point failed or has no such number. */
const NUMBERS: Readonly<Record<string, (point: MeasuredPoint) => Cell>> = {
  submitted: ({ requests }) => requests.submitted,
  completed: ({ requests }) => requests.completed,
  // As the table says it: a run that was too short is not below saturation.
  saturation: (point) => standing(point),
  load_share: ({ regime }) => regime.utilisation,
  queue_growth: ({ regime }) => regime.queueGrowth,
  kept_up_fraction: ({ keptUpFraction }) => keptUpFraction,
  requests_per_s: ({ throughput }) => throughput.requestsPerS,
  prompt_tokens_per_s: ({ throughput }) => throughput.promptTokensPerS,
  output_tokens_per_s: ({ throughput }) => throughput.outputTokensPerS,
  ...Object.assign({}, ...HEADLINE_LATENCIES.map(latencyColumns)),
  queue_ms_mean: ({ queueMs }) => queueMs.mean,
  queue_ms_p99: ({ queueMs }) => queueMs.p99,
  busy_fraction: ({ engine }) => engine.busyFraction,
  kv_peak_used_fraction: ({ engine }) => engine.kvPeakUsedFraction,
  prefix_cache_hit_fraction: ({ engine }) => engine.prefixCacheHitFraction,
  preemptions: ({ engine }) => engine.preemptions,
};

/** `ttft_ms_mean`, the ends of its interval across seeds, and the percentiles. */
function latencyColumns(latency: HeadlineLatency): typeof NUMBERS {
  const name = `${latency.slice(0, -2)}_ms`;
  return {
    [`${name}_mean`]: (point) => point[latency].mean,
    [`${name}_mean_low`]: (point) => point.seedIntervals?.intervals[latency].mean?.low ?? null,
    [`${name}_mean_high`]: (point) => point.seedIntervals?.intervals[latency].mean?.high ?? null,
    [`${name}_p50`]: (point) => point[latency].p50,
    [`${name}_p90`]: (point) => point[latency].p90,
    [`${name}_p95`]: (point) => point[latency].p95,
    [`${name}_p99`]: (point) => point[latency].p99,
  };
}

/** points.csv, header first: one row a point. The grid's axes are columns named by their config paths. */
export function* pointCsvLines({ points, grid }: Pick<SweepResult, "points" | "grid">): Generator<string> {
  const paths = grid.axes.map(({ path }) => path);
  const head = ["index", "label", "series", ...paths, "strategy", "rate", "streams", "is_probe", "seeds", "error"];
  yield csvLine([...head, ...Object.keys(NUMBERS)]);
  for (const point of points) yield csvLine([...headCells(point, paths), ...numberCells(point)]);
}

function headCells(point: PointResult, paths: readonly string[]): Cell[] {
  const { index, label, series, varied, strategy, rate, streams, isProbe, seeds, error } = point;
  return [
    index,
    label,
    series,
    ...paths.map((path) => configCell(varied[path])),
    strategy,
    rate,
    streams,
    isProbe,
    seeds.length,
    error,
  ];
}

function numberCells(point: PointResult): Cell[] {
  return Object.values(NUMBERS).map((cell) => (isMeasured(point) ? cell(point) : null));
}
