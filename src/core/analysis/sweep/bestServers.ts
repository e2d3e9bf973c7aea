import type { Interval } from "../../metrics/interval.js";
import { regimeGroup } from "../../metrics/regimeErrors.js";
import type { RunMetrics } from "../../metrics/runMetrics.js";
import { HEADLINE_LATENCIES, HEADLINE_STATISTICS } from "../../metrics/runUncertainty.js";
import type { Slo } from "../../metrics/slo.js";
import { checkSlo } from "../../metrics/sloCheck.js";
import { type Change, changeOf } from "./knee.js";
import { isRate, type SeriesSaturation, tells } from "./saturation.js";
import { isMeasured, type MeasuredPoint, type PointResult } from "./sweepPoint.js";

/** How much a server of a grid carries, and how surely. */
export interface ServerCapacity {
  readonly series: number;
  readonly label: string;
  /**
   * Requests/s: by throughput, the most it serves where it saturates, or the largest load where none saturates it; by SLO, the
   * largest load up to which every limit is kept, 0 where none is. Every turn of a session counts.
   */
  readonly requestsPerS: number;
  /** What the seeds leave possible; equal to `requestsPerS` with one seed. `high` is null where no load was too much. */
  readonly low: number;
  readonly high: number | null;
}

/** Which servers carry most. */
export interface BestServers {
  readonly by: "throughput" | "slo";
  /** Labels of the best, the largest first: more than one where the seeds do not tell them apart. */
  readonly best: readonly string[];
  /** Every server that has such a number, the largest first. */
  readonly ranking: readonly ServerCapacity[];
  /** The above in a sentence. */
  readonly finding: string;
}

/** A series with its points and GPUs. */
export interface RankedSeries {
  readonly saturation: SeriesSaturation;
  readonly points: readonly PointResult[];
  /** GPUs of one server. */
  readonly numGpus: number;
  /** Requests of an arrival: more than one where its rates count sessions. */
  readonly turnsPerStart: number;
}

/**
 * Ranks the servers of a sweep, by what they serve or by the load up to which they keep an SLO.
 * @param slo limits on statistics; null = by what they serve
 * @returns null where no server has such a number, and for a single one without an SLO
 */
export function bestServers(series: readonly RankedSeries[], slo: Slo | null, numSeeds: number): BestServers | null {
  const capacity = (one: RankedSeries) => (slo === null ? servedCapacity(one) : keptCapacity(one, slo));
  const found = series.map(capacity).filter((one) => one !== null);
  const ranking = found.sort((a, b) => b.requestsPerS - a.requestsPerS || highOf(b) - highOf(a));
  const [first] = ranking;
  if (first === undefined || (slo === null && series.length === 1)) return null;
  const best = ranking.filter((one) => highOf(one) >= first.low);
  const by = slo === null ? "throughput" : "slo";
  const perGpu = slo === null ? perGpuWords(ranking, series) : "";
  const finding = `${bestWords({ by, best, next: ranking.find((one) => !best.includes(one)), numSeeds, isOne: series.length === 1, all: allWords(series) })}${perGpu}.`;
  return { by, best: best.map(({ label }) => label), ranking, finding };
}

/** Beyond any load, where none was too much. */
function highOf({ high }: ServerCapacity): number {
  return high ?? Number.MAX_VALUE;
}

function servedCapacity({ saturation, points, turnsPerStart }: RankedSeries): ServerCapacity | null {
  const { series, label, unit, sustainedLoad, saturatedLoad, maxThroughput } = saturation;
  if (unit === null || maxThroughput === null) return null;
  if (isRate(unit) && saturatedLoad === null) {
    const most = sustainedLoad === null ? null : sustainedLoad * turnsPerStart;
    return most === null ? null : { series, label, requestsPerS: most, low: most, high: null };
  }
  const { requestsPerS } = maxThroughput;
  const most = points.filter(isMeasured).find((point) => point.label === maxThroughput.label);
  const interval = most?.seedIntervals?.intervals.throughput.requestsPerS;
  const { low, high } = interval ?? { low: requestsPerS, high: requestsPerS };
  return { series, label, requestsPerS, low, high };
}

function keptCapacity({ saturation, points, turnsPerStart }: RankedSeries, slo: Slo): ServerCapacity | null {
  const { series, label, unit } = saturation;
  const measured = points.filter(isMeasured);
  if (!isRate(unit) || measured.length === 0) return null;
  const [surely, perhaps] = [keptLoads(measured, slo, "high"), keptLoads(measured, slo, "low")];
  const perS = (load: number | null) => (load ?? 0) * turnsPerStart;
  const high = perhaps.firstLoad === null ? null : perS(perhaps.lastLoad);
  return { series, label, requestsPerS: perS(keptLoads(measured, slo).lastLoad), low: perS(surely.lastLoad), high };
}

/**
 * The last load up to which an SLO is kept, and the first at which it is not. Past saturation nothing is kept, whatever the
 * run's latencies were before it ended; a run that is too short to tell whether its load is carried says nothing for it.
 * @param end of the seeds' intervals to judge by; null = the means
 */
export function keptLoads(points: readonly MeasuredPoint[], slo: Slo, end: keyof Interval | null = null): Change {
  const judged = points.flatMap((point) => {
    const load = point.rate ?? point.streams;
    const keeps = regimeGroup(point.regime) !== "past" && keepsSlo(atEnd(point, end), slo);
    return load === null || (keeps && point.rate !== null && !tells(point)) ? [] : { load, holds: !keeps };
  });
  return changeOf(judged.sort((a, b) => a.load - b.load));
}

/** Whether a point's means over the seeds keep every limit. @param slo limits on statistics */
export function keepsSlo(point: RunMetrics, slo: Slo): boolean {
  return checkSlo(slo, point, null).every(({ isMet }) => isMet);
}

/** A point with its latencies at an end of their intervals, in so far as they have such. */
function atEnd(point: MeasuredPoint, end: keyof Interval | null): RunMetrics {
  const { seedIntervals } = point;
  if (seedIntervals === null || end === null) return point;
  const moved = HEADLINE_LATENCIES.map((latency) => {
    const ends = HEADLINE_STATISTICS.flatMap((statistic) => {
      const interval = seedIntervals.intervals[latency][statistic];
      return interval === null ? [] : [[statistic, interval[end]]];
    });
    return [latency, { ...point[latency], ...Object.fromEntries(ends) }];
  });
  return { ...point, ...Object.fromEntries(moved) };
}

interface Best {
  readonly by: BestServers["by"];
  readonly best: readonly ServerCapacity[];
  readonly next: ServerCapacity | undefined;
  readonly numSeeds: number;
  readonly isOne: boolean;
  /** What a server that no rate was too much for carries, before the largest of them. */
  readonly all: string;
}

function allWords(series: readonly RankedSeries[]): string {
  const rates = new Set(series.flatMap(({ points }) => points.flatMap(({ rate }) => rate ?? [])));
  return rates.size === 1 ? "the only rate tried, " : "every rate, up to ";
}

function bestWords({ by, best, next, numSeeds, isOne, all }: Best): string {
  const [first] = best as readonly [ServerCapacity];
  const within = by === "slo" ? "Within the SLO " : "";
  const behind = next === undefined ? "" : `; next ${named(next, all)}`;
  if (by === "slo" && best.every(({ high }) => high === 0)) return "The SLO is kept at none of the rates";
  if (isOne) return `${within}${first.high === null ? `at ${all}` : "up to "}${loadWords(first.requestsPerS)}`;
  const seed = numSeeds === 1 ? ", one seed each" : "";
  if (best.length === 1) {
    return `${within}${first.label} carries most: ${first.high === null ? all : ""}${loadWords(first.requestsPerS)}${behind}${seed}`;
  }
  const isTooFew = by === "slo" || best.some(({ high }) => high === null);
  const why = isTooFew
    ? "the rates do not tell them apart"
    : numSeeds === 1
      ? "as much each"
      : "the seeds do not tell them apart";
  return `${within}${within === "" ? "M" : "m"}ost is carried by ${listed(best.map((one) => named(one, all)))}: ${why}${behind}${seed}`;
}

/** The server that carries most for each of its GPUs, where that is another one. */
function perGpuWords(ranking: readonly ServerCapacity[], series: readonly RankedSeries[]): string {
  const share = ({ requestsPerS, series: index }: ServerCapacity) => {
    const numGpus = series.find(({ saturation }) => saturation.series === index)?.numGpus ?? 1;
    return requestsPerS / numGpus;
  };
  // A load that was not too much says nothing of the most.
  if (new Set(series.map(({ numGpus }) => numGpus)).size === 1 || ranking.some(({ high }) => high === null)) return "";
  const [most] = [...ranking].sort((a, b) => share(b) - share(a));
  return most === undefined ? "" : `; per GPU most by ${most.label}, ${loadWords(share(most))}`;
}

function named({ label, requestsPerS, high }: ServerCapacity, all: string): string {
  if (requestsPerS === 0) return `${label} (none of the loads tried)`;
  return `${label} (${high === null ? all : ""}${loadWords(requestsPerS)})`;
}

function listed(names: readonly string[]): string {
  return names.length === 1 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function loadWords(requestsPerS: number): string {
  return `${Number(requestsPerS.toPrecision(3))} requests/s`;
}
