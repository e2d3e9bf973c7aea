import { standing } from "../../core/analysis/sweep/saturation.js";
import type { MeasuredPoint } from "../../core/analysis/sweep/sweepPoint.js";
import type { Interval } from "../../core/metrics/interval.js";
import {
  HEADLINE_LATENCIES,
  HEADLINE_STATISTICS,
  type HeadlineLatency,
  type HeadlineStatistic,
} from "../../core/metrics/runUncertainty.js";
import { latencyName, type Slo, type SloLatency, type SloStatistic, sloName } from "../../core/metrics/slo.js";
import type { LoadCurve, LoadCurvesSection, LoadPlot, LoadUnit } from "../../report/sweepSections.js";
import { loadOf, type SweptSeries } from "./sweptServers.js";

/** A statistic of a latency, as a plot or a column. */
export interface LatencyNumber {
  readonly latency: SloLatency;
  readonly statistic: SloStatistic;
}

/** What a sweep is looked at for; an SLO may ask for more. */
const LATENCIES: readonly LatencyNumber[] = [
  { latency: "ttftMs", statistic: "p50" },
  { latency: "ttftMs", statistic: "p99" },
  { latency: "itlMs", statistic: "mean" },
  { latency: "gapMs", statistic: "p99" },
  { latency: "e2eMs", statistic: "mean" },
  { latency: "e2eMs", statistic: "p99" },
];

/** The latencies of a page: the usual ones, and those that the SLO limits. */
export function latencyNumbers(slo: Slo | null): LatencyNumber[] {
  const asked = (slo?.limits ?? []).flatMap(({ latency, statistic }) =>
    statistic === null ? [] : [{ latency, statistic }],
  );
  const all = [...LATENCIES, ...asked];
  return all.filter((one, i) => all.findIndex((other) => latencyTitle(other) === latencyTitle(one)) === i);
}

/** `TTFT p99`. */
export function latencyTitle({ latency, statistic }: LatencyNumber): string {
  return `${latencyName(latency)} ${statistic}`;
}

/** Across seeds; null with one seed, and of numbers that are no headlines. */
export function intervalOf({ seedIntervals }: MeasuredPoint, { latency, statistic }: LatencyNumber): Interval | null {
  const isKnown =
    (HEADLINE_LATENCIES as readonly string[]).includes(latency) &&
    (HEADLINE_STATISTICS as readonly string[]).includes(statistic);
  if (seedIntervals === null || !isKnown) return null;
  return seedIntervals.intervals[latency as HeadlineLatency][statistic as HeadlineStatistic];
}

/** The servers that are drawn, each with its points that have a load of the unit. */
interface Drawn {
  readonly unit: LoadUnit;
  readonly servers: readonly { readonly curve: LoadCurve; readonly points: readonly MeasuredPoint[] }[];
  readonly numSeeds: number;
  /** Points of these servers that have no load: the server set the pace. */
  readonly numUnloaded: number;
}

/** Latency, throughput and memory against the load; nothing where no point has one. */
export function loadCurveSections(all: readonly SweptSeries[], slo: Slo | null, numSeeds: number): LoadCurvesSection[] {
  const shown = all.filter(({ isDrawn }) => isDrawn);
  const unit = shown.find(({ saturation }) => saturation.unit !== null)?.saturation.unit ?? null;
  if (unit === null) return [];
  const servers = shown.filter(({ saturation }) => saturation.unit === unit).map((server) => loaded(server, unit));
  const numAll = shown.reduce((sum, { points }) => sum + points.length, 0);
  const numUnloaded = numAll - servers.reduce((sum, { points }) => sum + points.length, 0);
  const drawn = { unit, servers, numSeeds, numUnloaded };
  return [latencySection(drawn, slo), throughputSection(drawn), memorySection(drawn)];
}

function loaded({ name, points, saturation }: SweptSeries, unit: LoadUnit): Drawn["servers"][number] {
  const own = points.filter((point) => (unit === "streams" ? point.streams : point.rate) !== null);
  const { sustainedLoad, saturatedLoad, latencyKnee } = saturation;
  const curve = {
    name,
    loads: own.map((point) => loadOf(point) ?? 0),
    standings: own.map(standing),
    kneeLoad: latencyKnee?.load ?? null,
    saturation:
      sustainedLoad === null || saturatedLoad === null ? null : { above: sustainedLoad, below: saturatedLoad },
  };
  return { curve, points: own };
}

function latencySection(drawn: Drawn, slo: Slo | null): LoadCurvesSection {
  const seeds =
    drawn.numSeeds === 1
      ? "One seed: how far chance moves them is not known."
      : `Means over ${drawn.numSeeds} seeds, with the 95 % t-interval as a bar.`;
  const others =
    drawn.numUnloaded === 0
      ? ""
      : ` Points without such a load, ${drawn.numUnloaded} of them, as synchronous and throughput are, stand in the table of all points.`;
  const says =
    `${spanWords(drawn)} ${seeds}${others} Axes are logarithmic where latencies spread; past saturation ` +
    "they say how long the run was, not how fast the server is.";
  const plots = latencyNumbers(slo).map((number): LoadPlot => {
    const { latency, statistic } = number;
    return {
      title: latencyTitle(number),
      quantity: "ms",
      values: valuesOf(drawn, (point) => point[latency][statistic]),
      intervals: drawn.numSeeds === 1 ? null : valuesOf(drawn, (point) => intervalOf(point, number)),
      limits: (slo?.limits ?? [])
        .filter((limit) => limit.latency === latency && limit.statistic === statistic)
        .map((limit) => ({
          name: `${sloName(limit)} ≤ ${Number(limit.limitMs.toPrecision(4))} ms`,
          limit: limit.limitMs,
        })),
      hasDiagonal: false,
    };
  });
  return { kind: "load-curves", id: "latency", heading: "Latency by load", says, ...curvesOf(drawn), plots };
}

function throughputSection(drawn: Drawn): LoadCurvesSection {
  const { unit, numSeeds } = drawn;
  const plot = (title: string, key: "requestsPerS" | "outputTokensPerS", hasDiagonal: boolean): LoadPlot => ({
    title,
    quantity: "count",
    values: valuesOf(drawn, ({ throughput }) => throughput[key]),
    intervals:
      numSeeds === 1 ? null : valuesOf(drawn, ({ seedIntervals }) => seedIntervals?.intervals.throughput[key] ?? null),
    limits: [],
    hasDiagonal,
  });
  const dashed =
    unit === "requestsPerS"
      ? " Dashed: as much served as offered. A run also counts the time in which its last requests drain, so a server that keeps up stays somewhat below; the share kept up in the table of points takes that out."
      : "";
  return {
    kind: "load-curves",
    id: "throughput",
    heading: "Throughput by load",
    says: `${mostWords(drawn)}${dashed}`,
    ...curvesOf(drawn),
    plots: [
      plot("Requests served per second", "requestsPerS", unit === "requestsPerS"),
      plot("Output tokens per second", "outputTokensPerS", false),
    ],
  };
}

function memorySection(drawn: Drawn): LoadCurvesSection {
  const most = Math.max(
    ...drawn.servers.flatMap(({ points }) => points.map(({ engine }) => engine.kvPeakUsedFraction)),
  );
  const preempted = drawn.servers.flatMap(({ points }) => points).filter(({ engine }) => engine.preemptions > 0);
  const says =
    `The KV cache is ${Math.round(100 * most)} % full at most. ` +
    (preempted.length === 0
      ? "Nothing is preempted."
      : `Requests are preempted at ${preempted.length} of ${drawn.servers.reduce((sum, { points }) => sum + points.length, 0)} points.`);
  const plot = (title: string, quantity: LoadPlot["quantity"], of: (point: MeasuredPoint) => number): LoadPlot => ({
    title,
    quantity,
    values: valuesOf(drawn, of),
    intervals: null,
    limits: [],
    hasDiagonal: false,
  });
  return {
    kind: "load-curves",
    id: "memory",
    heading: "KV cache and preemptions",
    says,
    ...curvesOf(drawn),
    plots: [
      plot("KV cache used at peak", "fraction", ({ engine }) => engine.kvPeakUsedFraction),
      ...(preempted.length === 0 ? [] : [plot("Preemptions", "count", ({ engine }) => engine.preemptions)]),
    ],
  };
}

function curvesOf({ unit, servers }: Drawn): Pick<LoadCurvesSection, "unit" | "curves"> {
  return { unit, curves: servers.map(({ curve }) => curve) };
}

function valuesOf<T>({ servers }: Drawn, of: (point: MeasuredPoint) => T): T[][] {
  return servers.map(({ points }) => points.map(of));
}

/** `10 loads from 1 to 40 requests/s.` */
function spanWords({ servers, unit }: Drawn): string {
  const loads = [...new Set(servers.flatMap(({ curve }) => curve.loads))].sort((a, b) => a - b);
  const print = (load: number | undefined) => Number((load ?? 0).toPrecision(3));
  const words = { requestsPerS: "requests/s", sessionsPerS: "sessions/s", streams: "streams" }[unit];
  if (loads.length === 1) return `One load, ${print(loads[0])} ${words}.`;
  return `${loads.length} loads from ${print(loads[0])} to ${print(loads.at(-1))} ${words}.`;
}

function mostWords({ servers }: Drawn): string {
  const all = servers.flatMap(({ curve, points }) =>
    points.map(({ throughput }) => ({ name: curve.name, served: throughput.requestsPerS ?? 0 })),
  );
  const most = all.reduce((a, b) => (b.served > a.served ? b : a), { name: "", served: 0 });
  return `At these loads at most ${Number(most.served.toPrecision(3))} requests/s are served${most.name === "" ? "" : `, by ${most.name}`}.`;
}
