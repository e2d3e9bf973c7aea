import { type RegimeGroup, regimeGroup } from "../../metrics/regimeErrors.js";
import { type Change, changeOf, type Knee, type LoadPoint, latencyKnee } from "./knee.js";
import { carriedLoads, saturationFinding } from "./saturationFinding.js";
import { isSettled, SETTLED_LATENCIES } from "./settled.js";
import { isMeasured, type MeasuredPoint, type PointResult } from "./sweepPoint.js";

/** Below this share of the offered load, throughput has fallen behind it. */
export const KEPT_UP_FRACTION = 0.95;

/** Where one server, a series of points that differ in their load alone, saturates. */
export interface SeriesSaturation {
  readonly series: number;
  readonly label: string;
  readonly varied: Readonly<Record<string, unknown>>;
  /** What the loads of this series count: sessions where these ask several times. Null where it has none to compare. */
  readonly unit: "requestsPerS" | "sessionsPerS" | "streams" | null;
  /** Whether a load of the series is not carried. */
  readonly saturates: boolean;
  /** Largest load that is carried: no queue grows, and throughput follows; null where none is, or none was offered. */
  readonly sustainedLoad: number | null;
  /** Smallest load that is not carried; null where all are. */
  readonly saturatedLoad: number | null;
  /** Smallest load whose run is too short to tell whether it is carried; null where none is. */
  readonly tooShortLoad: number | null;
  /** Where more load begins to cost more latency than it buys throughput; null where the series does not reach it. */
  readonly latencyKnee: Knee | null;
  /** The last load at which the queue settled, and the first at which it grew for as long as requests came; null where it never did. */
  readonly queueKnee: { readonly settled: number | null; readonly grew: number } | null;
  /** The last load that throughput followed, and the first it did not; null where it followed all. */
  readonly throughputKnee: { readonly followed: number | null; readonly fellBehind: number } | null;
  /** The most that was served at any point, closed loops included; null without a point. */
  readonly maxThroughput: {
    readonly requestsPerS: number;
    readonly outputTokensPerS: number | null;
    readonly label: string;
  } | null;
  /** The above in a sentence. */
  readonly finding: string;
}

/** How saturation was found, for readers of the JSON. */
export const SATURATION_METHOD = {
  saturated: "from the first of the two signs on, queueKnee and throughputKnee",
  queueKnee: "the queue grew over the later half of the arrivals while requests waited most of the time (regime past)",
  tooShort: `fewer than ${SETTLED_LATENCIES} mean end-to-end latencies (of a session: of all its turns) from the first arrival to the last, and no growing queue yet`,
  latencyKnee: "greatest throughput / mean end-to-end latency (Kleinrock's power)",
  throughputKnee: `throughput below ${KEPT_UP_FRACTION} of what keeping up would give, of the largest share of requests that clients did not give up at any load`,
} as const;

/** A server of the grid. */
export interface SeriesHead {
  /** Whether its rates count sessions. */
  readonly hasSessions: boolean;
  readonly label: string;
  readonly varied: Readonly<Record<string, unknown>>;
}

/** Finds where a series saturates. @param points of that series, in any order; failed ones do not count */
export function seriesSaturation(
  { label, varied, hasSessions }: SeriesHead,
  series: number,
  points: readonly PointResult[],
): SeriesSaturation {
  const measured = points.filter(isMeasured);
  const unit = unitOf(measured, hasSessions);
  const loaded = measured
    .flatMap((point) => ({ point, load: loadIn(unit, point) }))
    .filter((entry): entry is Loaded => entry.load !== null)
    .sort((a, b) => a.load - b.load);
  const telling = loaded.filter(({ point }) => tells(point));
  const queue = isRate(unit) ? queueChange(telling) : NO_CHANGE;
  const behind = isRate(unit) ? throughputChange(telling) : NO_CHANGE;
  const carried = carriedLoads(queue, behind);
  const found = {
    unit,
    saturates: carried.saturatedLoad !== null,
    ...carried,
    tooShortLoad: isRate(unit) ? (loaded.find(({ point }) => !tells(point))?.load ?? null) : null,
    latencyKnee: latencyKnee(loaded.flatMap(loadPoint)),
    queueKnee: queue.firstLoad === null ? null : { settled: queue.lastLoad, grew: queue.firstLoad },
    throughputKnee: behind.firstLoad === null ? null : { followed: behind.lastLoad, fellBehind: behind.firstLoad },
    maxThroughput: maxThroughput(measured),
  };
  const works = measured.length > 0 || points.length === 0;
  const loads = loaded.map(({ load }) => load);
  const isTrace = measured.length > 0 && measured.every(({ strategy }) => strategy === "trace");
  const finding = isTrace ? TRACE_FINDING : works ? saturationFinding(found, loads) : "No point of this server works.";
  return { series, label, varied, ...found, finding };
}

const TRACE_FINDING =
  "A trace has its own arrivals, so there are no loads to compare; --vary timeScale=1,0.5 compares them as servers.";

interface Loaded {
  readonly point: MeasuredPoint;
  readonly load: number;
}

const NO_CHANGE: Change = { lastLoad: null, firstLoad: null };

/** Whether a load is offered at its own pace, whatever the server does. */
export function isRate(unit: SeriesSaturation["unit"]): boolean {
  return unit === "requestsPerS" || unit === "sessionsPerS";
}

function unitOf(points: readonly MeasuredPoint[], hasSessions: boolean): SeriesSaturation["unit"] {
  if (points.some(({ rate }) => rate !== null)) return hasSessions ? "sessionsPerS" : "requestsPerS";
  return points.some(({ streams }) => streams !== null) ? "streams" : null;
}

function loadIn(unit: SeriesSaturation["unit"], { rate, streams }: MeasuredPoint): number | null {
  return isRate(unit) ? rate : streams;
}

/** Whether a point shows a queue that grows, or a run long enough that one would have grown. */
export function tells(point: MeasuredPoint): boolean {
  return regimeGroup(point.regime) === "past" || isSettled(point);
}

/** How a point stands to saturation: its regime, or `tooShort` where its run ended before that could show. */
export type Standing = RegimeGroup | "tooShort";

export function standing(point: MeasuredPoint): Standing {
  const group = regimeGroup(point.regime);
  return point.rate === null || group === "closedLoop" || tells(point) ? group : "tooShort";
}

/** A closed loop in effect, everything sent before the first answer, says nothing of a queue that grows. */
function queueChange(loaded: readonly Loaded[]): Change {
  return changeOf(loaded.map(({ load, point }) => ({ load, holds: regimeGroup(point.regime) === "past" })));
}

/** What clients give up even where the server carries the load is lost to no queue: a timeout, the end of --max-seconds. */
function throughputChange(loaded: readonly Loaded[]): Change {
  const mostCompleted = Math.max(0, ...loaded.map(({ point }) => completedFraction(point)));
  return changeOf(
    loaded.flatMap(({ load, point: { keptUpFraction } }) =>
      keptUpFraction === null ? [] : { load, holds: keptUpFraction < KEPT_UP_FRACTION * mostCompleted },
    ),
  );
}

function completedFraction({ requests: { submitted, rejected, completed } }: MeasuredPoint): number {
  return submitted === rejected ? 0 : completed / (submitted - rejected);
}

function loadPoint({ load, point }: Loaded): LoadPoint[] {
  const throughput = point.throughput.requestsPerS;
  const latency = point.e2eMs.mean;
  return throughput === null || latency === null ? [] : [{ load, throughput, latency }];
}

function maxThroughput(points: readonly MeasuredPoint[]): SeriesSaturation["maxThroughput"] {
  let most: SeriesSaturation["maxThroughput"] = null;
  for (const { label, throughput } of points) {
    const { requestsPerS, outputTokensPerS } = throughput;
    if (requestsPerS === null || requestsPerS <= (most?.requestsPerS ?? 0)) continue;
    most = { requestsPerS, outputTokensPerS, label };
  }
  return most;
}
