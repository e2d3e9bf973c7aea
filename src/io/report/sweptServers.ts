import type { SeriesSaturation } from "../../core/analysis/sweep/saturation.js";
import { isMeasured, type MeasuredPoint, type PointResult } from "../../core/analysis/sweep/sweepPoint.js";
import type { SweepResult } from "../../core/analysis/sweep/sweepResult.js";
import { MOST_DRAWN_SERVERS } from "../../report/sweepSections.js";

/** A server of a sweep: its name, where it saturates, and its points that have numbers. */
export interface SweptSeries {
  /** Empty where the sweep has one server. */
  readonly name: string;
  readonly saturation: SeriesSaturation;
  /** Ascending by load: one request at a time first, all at once last. */
  readonly points: readonly MeasuredPoint[];
  /** Whether the plots show it: as many as there are colours, those that serve most. */
  readonly isDrawn: boolean;
}

/** Where a config path has a name that people know. */
const SHORT_PATHS: Readonly<Record<string, string>> = { tensorParallelSize: "TP", pipelineParallelSize: "PP" };

export function sweptServers({ points, saturation }: Pick<SweepResult, "points" | "saturation">): SweptSeries[] {
  const bySeries = new Map<number, PointResult[]>();
  for (const point of points) bySeries.set(point.series, [...(bySeries.get(point.series) ?? []), point]);
  const servers = saturation.series.map((series) => ({
    name: saturation.series.length === 1 ? "" : serverName(series.varied),
    saturation: series,
    points: (bySeries.get(series.series) ?? []).filter(isMeasured).sort((a, b) => order(a) - order(b)),
  }));
  const served = ({ saturation }: { readonly saturation: SeriesSaturation }) =>
    saturation.maxThroughput?.requestsPerS ?? 0;
  const most = servers.filter(({ points }) => points.length > 0).sort((a, b) => served(b) - served(a));
  const drawn = new Set(most.slice(0, MOST_DRAWN_SERVERS));
  return servers.map((server) => ({ ...server, isDrawn: drawn.has(server) }));
}

/** `H100 · TP 2 · maxNumSeqs 64`: short enough to stand beside a line. */
export function serverName(varied: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(varied).map(([path, value]) => {
    const key = path.split(".").at(-1)!;
    return typeof value === "string" ? value : `${SHORT_PATHS[key] ?? key} ${String(value)}`;
  });
  return words.join(" · ");
}

/** Profiles that have no load are the ends of every load. */
function order(point: PointResult): number {
  return loadOf(point) ?? (point.strategy === "throughput" ? Number.MAX_VALUE : 0);
}

/** Requests/s or streams; null where the server sets the pace. */
export function loadOf({ rate, streams }: Pick<PointResult, "rate" | "streams">): number | null {
  return rate ?? streams;
}

/** `22.7/s`, `16 streams`, `throughput`. */
export function loadName({ strategy, rate, streams }: PointResult): string {
  if (rate !== null) return `${Number(rate.toPrecision(3))}/s`;
  if (streams === null) return strategy;
  return streams === 1 ? "1 stream" : `${streams} streams`;
}

/** At most so many, evenly, the first and the last among them. */
export function thinned<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, i) => items[Math.round((i * (items.length - 1)) / (most - 1))]!);
}
