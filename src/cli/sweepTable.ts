import type { ServerCapacity } from "../core/analysis/sweep/bestServers.js";
import { KEPT_UP_FRACTION, type SeriesSaturation, standing } from "../core/analysis/sweep/saturation.js";
import { isMeasured, type MeasuredPoint, type PointResult } from "../core/analysis/sweep/sweepPoint.js";
import type { SweepResult } from "../core/analysis/sweep/sweepResult.js";
import type { HeadlineLatency } from "../core/metrics/runUncertainty.js";
import { REGIME_NAMES } from "./regimeWords.js";
import { SweepPictures } from "./sweepPictures.js";
import { sweptPoints, sweptRequests, sweptServerAndWorkload } from "./sweepWords.js";
import { type Column, numberColumns, printMs, printNumber, textTable } from "./textTable.js";

/** Behind a load that GuideLLM would not have tried. */
const PROBE_MARK = "*";

/**
 * A sweep for people: where each server saturates, then every point, with a picture of how the numbers go.
 * @param workload what the requests are called; null = nothing
 */
export function sweepTable(result: SweepResult, workload: string | null): string {
  const { saturation, grid } = result;
  const isGrid = saturation.series.length > 1;
  const best = saturation.best === null ? [] : [`${saturation.best.finding}\n`];
  const pictures = new SweepPictures(saturation.series.map((series) => pointsOf(result.points, series)));
  const parts = [heading(result, workload), ...best, ...(isGrid ? [seriesTable(result, pictures)] : [])];
  for (const series of saturation.series) parts.push(seriesPart(result, series, pictures));
  if (grid.seeds.length > 1)
    parts.push(`means over the seeds ${grid.seeds.join(", ")}; ± half of the 95 % t-interval\n`);
  return parts.join("\n");
}

function heading(result: SweepResult, workload: string | null): string {
  return `${sweptServerAndWorkload(result, workload)}\n${sweptPoints(result)}: ${sweptRequests(result)}\n`;
}

/** One line a server: what it carries, and how latency and throughput go over its loads. */
function seriesTable({ points, saturation }: SweepResult, pictures: SweepPictures): string {
  const { best } = saturation;
  const isBySlo = best?.by === "slo";
  const columns: Column[] = [
    { title: "server", align: "left" },
    ...numberColumns("", "carries", "saturated by", "most req/s", "out tok/s").slice(1),
    ...(isBySlo ? [{ title: "within SLO", align: "right" } as const] : []),
    { title: "E2E mean", align: "left" },
    { title: "req/s", align: "left" },
  ];
  const rows = saturation.series.map((series) => {
    const own = pointsOf(points, series);
    const { unit, label, sustainedLoad, saturatedLoad, maxThroughput } = series;
    const bound = sustainedLoad !== null && saturatedLoad === null ? "≥ " : "";
    return [
      label,
      `${bound}${seriesLoad(sustainedLoad, unit)}`,
      seriesLoad(saturatedLoad, unit),
      printNumber(maxThroughput?.requestsPerS, 2),
      printNumber(maxThroughput?.outputTokensPerS, 0),
      ...(isBySlo ? [keptLoad(best.ranking.find((one) => one.series === series.series))] : []),
      pictures.bars("E2E mean", own),
      pictures.bars("req/s", own),
    ];
  });
  return `${textTable(columns, rows)}${pictures.key()}`;
}

/** `20`; of sessions `0.5 sessions/s`. */
function seriesLoad(load: number | null, unit: SeriesSaturation["unit"]): string {
  return `${printLoad(load)}${load !== null && unit === "sessionsPerS" ? " sessions/s" : ""}`;
}

/** The largest load within the SLO; `≥` where no larger one was tried. */
function keptLoad(capacity: ServerCapacity | undefined): string {
  if (capacity === undefined) return "–";
  return `${capacity.high === null ? "≥ " : ""}${printLoad(capacity.requestsPerS)}`;
}

function seriesPart({ points, saturation }: SweepResult, series: SeriesSaturation, pictures: SweepPictures): string {
  const isGrid = saturation.series.length > 1;
  const own = pointsOf(points, series);
  const columns = [
    ...numberColumns(
      "load",
      "req/s",
      "out tok/s",
      "TTFT p50",
      "TTFT p99",
      "ITL mean",
      "gap p99",
      "E2E mean",
      "E2E p99",
    ),
    { title: "saturation", align: "left" } as const,
  ];
  const measured = own.filter(isMeasured);
  const beyond = measured.some(({ isProbe }) => isProbe)
    ? `${PROBE_MARK} beyond GuideLLM's profile, to find saturation\n`
    : "";
  const table =
    measured.length === 0
      ? ""
      : `${textTable(columns, measured.map(pointRow))}${beyond}${drainNote(measured, series)}${pictures.lines(own)}${isGrid ? "" : pictures.key()}`;
  return `${isGrid ? `${series.label}\n` : ""}${series.finding}\n${table}${failures(own)}`;
}

/** Why a server that keeps up serves less than it is offered. */
function drainNote(measured: readonly MeasuredPoint[], { unit }: SeriesSaturation): string {
  const seemsBehind = ({ rate, keptUpFraction, throughput }: MeasuredPoint) =>
    rate !== null &&
    (throughput.requestsPerS ?? 0) < KEPT_UP_FRACTION * rate &&
    (keptUpFraction ?? 0) >= KEPT_UP_FRACTION;
  const isShown = unit === "requestsPerS" && measured.some(seemsBehind);
  return isShown
    ? "req/s also counts the time in which the last requests end: less than the rate is no sign alone\n"
    : "";
}

/** Why loads failed: those of one server mostly for one reason. */
function failures(points: readonly PointResult[]): string {
  const loads = new Map<string, string[]>();
  for (const point of points) {
    if (isMeasured(point)) continue;
    loads.set(point.error, [...(loads.get(point.error) ?? []), loadWords(point)]);
  }
  return [...loads].map(([error, words]) => `${failedLoads(words, points.length)}: ${error}\n`).join("");
}

/** `all 3 loads`, `2 of 3 loads (poisson 8/s, poisson 20/s)`, `poisson 8/s`. */
function failedLoads(words: readonly string[], numLoads: number): string {
  if (words.length === 1) return words.join("");
  return words.length === numLoads
    ? `all ${numLoads} loads`
    : `${words.length} of ${numLoads} loads (${words.join(", ")})`;
}

function pointsOf(points: readonly PointResult[], { series }: SeriesSaturation): PointResult[] {
  return points.filter((point) => point.series === series);
}

function pointRow(point: MeasuredPoint): string[] {
  return [
    `${loadWords(point)}${point.isProbe ? ` ${PROBE_MARK}` : ""}`,
    printNumber(point.throughput.requestsPerS, 2),
    printNumber(point.throughput.outputTokensPerS, 0),
    latency(point, "ttftMs", "p50"),
    latency(point, "ttftMs", "p99"),
    latency(point, "itlMs", "mean"),
    latency(point, "gapMs", "p99"),
    latency(point, "e2eMs", "mean"),
    latency(point, "e2eMs", "p99"),
    saturationWord(point),
  ];
}

function saturationWord(point: MeasuredPoint): string {
  const found = standing(point);
  return found === "tooShort" ? "too short to tell" : REGIME_NAMES[found];
}

function loadWords({ strategy, rate, streams }: PointResult): string {
  if (rate !== null) return `${strategy} ${printLoad(rate)}/s`;
  if (streams === null) return strategy;
  return `${streams} ${streams === 1 ? "stream" : "streams"}`;
}

function printLoad(load: number | null): string {
  return load === null ? "–" : String(Number(load.toPrecision(3)));
}

/** `812 ms ± 20 ms`. */
function latency(point: MeasuredPoint, name: HeadlineLatency, statistic: "mean" | "p50" | "p99"): string {
  const ms = point[name][statistic];
  if (ms === null) return "–";
  const interval = point.seedIntervals?.intervals[name][statistic] ?? null;
  const isShort = name === "itlMs" || name === "gapMs";
  const shown = isShort ? `${printNumber(ms)} ms` : printMs(ms);
  if (interval === null) return shown;
  const half = (interval.high - interval.low) / 2;
  return `${shown} ± ${isShort ? `${printNumber(half)} ms` : printMs(half)}`;
}
