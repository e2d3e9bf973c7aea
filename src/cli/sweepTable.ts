import type { ServerCapacity } from "../core/analysis/sweep/bestServers.js";
import { KEPT_UP_FRACTION, type SeriesSaturation, standing } from "../core/analysis/sweep/saturation.js";
import { isMeasured, type MeasuredPoint, type PointResult } from "../core/analysis/sweep/sweepPoint.js";
import type { SweepResult } from "../core/analysis/sweep/sweepResult.js";
import { valueAt } from "../core/config/parseConfig.js";
import type { HeadlineLatency } from "../core/metrics/runUncertainty.js";
import { REGIME_NAMES } from "./regimeWords.js";
import { sparkline } from "./sparkline.js";
import { type Column, numberColumns, printMs, printNumber, textTable } from "./textTable.js";

/** Behind a load that GuideLLM would not have tried. */
const PROBE_MARK = "*";

/** A sweep for people: where each server saturates, then every point, with a picture of how the numbers go. */
export function sweepTable(result: SweepResult): string {
  const { saturation, grid } = result;
  const isGrid = saturation.series.length > 1;
  const best = saturation.best === null ? [] : [`${saturation.best.finding}\n`];
  const parts = [heading(result), ...best, ...(isGrid ? [seriesTable(result)] : [])];
  for (const series of saturation.series) parts.push(seriesPart(result, series, isGrid));
  if (grid.seeds.length > 1)
    parts.push(`means over the seeds ${grid.seeds.join(", ")}; ± half of the 95 % t-interval\n`);
  return parts.join("\n");
}

function heading(result: SweepResult): string {
  return `${sweptServer(result)}\n${sweptPoints(result)}: ${sweptRequests(result)}\n`;
}

/** `meta-llama/Llama-3.1-8B-Instruct on 1 × H100, vLLM 0.11`, as far as all points have it in common. */
export function sweptServer({ config }: Pick<SweepResult, "config">): string {
  const text = (path: string, varied: string): string => String(valueAt(config, path.split(".")) ?? varied);
  const [gpu, size] = [valueAt(config, ["gpu"]), valueAt(config, ["engine", "tensorParallelSize"])];
  const gpus =
    gpu !== undefined && size !== undefined
      ? `${String(size)} × ${String(gpu)}`
      : `${text("gpu", "several GPUs")} at ${size === undefined ? "several TP sizes" : `TP ${String(size)}`}`;
  return `${text("model", "several models")} on ${gpus}, vLLM ${text("engine.vllmVersion", "of several versions")}`;
}

/** `10 points × 3 seeds, 1 failed`; `12 points, GuideLLM's sweep profile and 2 beyond it`. */
export function sweptPoints({ grid, points }: Pick<SweepResult, "grid" | "points">): string {
  const numProbes = points.filter(({ isProbe }) => isProbe).length;
  const beyond = numProbes === 0 ? "" : ` and ${numProbes} beyond it`;
  const loads = grid.guidellmSize === null ? "" : `, GuideLLM's sweep profile${beyond}`;
  const numFailed = points.filter((point) => !isMeasured(point)).length;
  const failed = numFailed === 0 ? "" : `, ${numFailed} failed`;
  const seeds = grid.seeds.length === 1 ? "" : ` × ${grid.seeds.length} seeds`;
  return `${points.length} ${points.length === 1 ? "point" : "points"}${seeds}${loads}${failed}`;
}

/** `prompts about 1,149 and outputs about 209 tokens, 2,000 requests a point`: what ran, as it came out. */
export function sweptRequests({ points }: Pick<SweepResult, "points">): string {
  const measured = points.filter(isMeasured).filter(({ throughput }) => (throughput.requestsPerS ?? 0) > 0);
  if (measured.length === 0) return "no request completed";
  const perRequest = (key: "promptTokensPerS" | "outputTokensPerS") =>
    span(measured.map(({ throughput }) => (throughput[key] ?? 0) / throughput.requestsPerS!));
  const numbers = span(measured.map(({ requests }) => requests.submitted));
  return `prompts about ${perRequest("promptTokensPerS")} and outputs about ${perRequest("outputTokensPerS")} tokens, ${numbers} requests a point`;
}

/** `1,149`, or `900 to 1,149` where they differ by more than a few percent. */
function span(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const print = (value: number) => Math.round(value).toLocaleString("en-US");
  return most <= least * SAME_FACTOR ? print(most) : `${print(least)} to ${print(most)}`;
}

/** Means of so many draws differ by chance: they are told as one up to this. */
const SAME_FACTOR = 1.1;

/** One line a server: what it carries, and how latency and throughput go over its loads. */
function seriesTable({ points, saturation }: SweepResult): string {
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
    const measured = drawn(pointsOf(points, series).filter(isMeasured));
    const { unit, label, sustainedLoad, saturatedLoad, maxThroughput } = series;
    const bound = sustainedLoad !== null && saturatedLoad === null ? "≥ " : "";
    return [
      label,
      `${bound}${seriesLoad(sustainedLoad, unit)}`,
      seriesLoad(saturatedLoad, unit),
      printNumber(maxThroughput?.requestsPerS, 2),
      printNumber(maxThroughput?.outputTokensPerS, 0),
      ...(isBySlo ? [keptLoad(best.ranking.find((one) => one.series === series.series))] : []),
      bars(measured.map(({ e2eMs }) => e2eMs.mean)),
      bars(measured.map(({ throughput }) => throughput.requestsPerS)),
    ];
  });
  return textTable(columns, rows);
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

function seriesPart({ points }: SweepResult, series: SeriesSaturation, isGrid: boolean): string {
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
      : `${textTable(columns, measured.map(pointRow))}${beyond}${drainNote(measured, series)}${pictures(measured)}`;
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
  return [...loads].map(([error, words]) => `${words.join(", ")}: ${error}\n`).join("");
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

/** How the numbers go over the loads, each on a scale of its own from 0. */
function pictures(points: readonly MeasuredPoint[]): string {
  const shown = drawn(points);
  if (shown.length < 3) return "";
  const lines: [string, (number | null)[]][] = [
    ["TTFT p99", shown.map(({ ttftMs }) => ttftMs.p99)],
    ["E2E mean", shown.map(({ e2eMs }) => e2eMs.mean)],
    ["req/s", shown.map(({ throughput }) => throughput.requestsPerS)],
  ];
  return lines.map(([title, values]) => `${title.padEnd(8)} ${bars(values)}\n`).join("");
}

/** Points by load; those of a GuideLLM sweep that calibrate it have none, and are no part of the picture. */
function drawn(points: readonly MeasuredPoint[]): readonly MeasuredPoint[] {
  const loaded = points.filter(({ rate, streams }) => (rate ?? streams) !== null);
  return loaded.length === 0 ? points : loaded;
}

function bars(values: readonly (number | null)[]): string {
  return sparkline(values, Math.max(...values.map((value) => value ?? 0), Number.MIN_VALUE));
}
