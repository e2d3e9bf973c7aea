import { type ConfigDifference, configDifferences } from "../../config/compareConfigs.js";
import { ROOFSERVE_VERSION } from "../../engine/version.js";
import type { Interval } from "../../metrics/interval.js";
import { isMeasured, type MeasuredPoint, type PointResult } from "../sweep/sweepPoint.js";
import type { SweepResult } from "../sweep/sweepResult.js";
import { type DiffSide, versionNotes } from "./diffSide.js";
import { type MetricChange, metricChanges } from "./metricChange.js";

/** One side of a comparison of sweeps. */
export interface ComparedSweep {
  /** What the user calls it. */
  readonly name: string;
  readonly sweep: Pick<SweepResult, "version" | "config" | "points">;
}

/** A number of a point in two sweeps. */
export interface PointMetricChange extends MetricChange {
  /** Whether the seeds' intervals of its two sides lie apart, so that it is no chance; null where a side has none. */
  readonly isApart: boolean | null;
}

/** A point in two sweeps, its numbers in the order of `metricChanges`. */
export interface PointChange extends Pick<MeasuredPoint, "label" | "varied" | "strategy" | "rate" | "streams"> {
  readonly metrics: readonly PointMetricChange[];
}

/** The `roofserve.diff/1` contract, of two sweeps: keys are API. Every `change` is B's number minus A's. */
export interface SweepDiff {
  readonly schema: "roofserve.diff/1";
  readonly kind: "sweep";
  /** roofserve's version. */
  readonly version: string;
  readonly a: DiffSide;
  readonly b: DiffSide;
  /** Whether no config key, no point and no number differs. */
  readonly isIdentical: boolean;
  /** Of what all points of a sweep have in common. */
  readonly config: readonly ConfigDifference[];
  /** Points that were measured in both sweeps, in the order of A. */
  readonly points: readonly PointChange[];
  /** Labels of the points that only one sweep has, or that failed in the other one. */
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
  readonly notes: readonly string[];
}

/** Compares two sweeps point by point: points of the same load and the same varied values. */
export function sweepDiff(a: ComparedSweep, b: ComparedSweep): SweepDiff {
  const [ofA, ofB] = [measuredByPlace(a), measuredByPlace(b)];
  const points = [...ofA].flatMap(([place, point]) => {
    const other = ofB.get(place);
    return other === undefined ? [] : [pointChange(point, other)];
  });
  const missing = (from: ReadonlyMap<string, MeasuredPoint>, other: ReadonlyMap<string, MeasuredPoint>) =>
    [...from].filter(([place]) => !other.has(place)).map(([, { label }]) => label);
  const [onlyA, onlyB] = [missing(ofA, ofB), missing(ofB, ofA)];
  const config = configDifferences(a.sweep.config, b.sweep.config);
  const isSame = points.every(({ metrics }) => metrics.every((metric) => metric.a === metric.b));
  const sides = {
    a: { name: a.name, version: a.sweep.version },
    b: { name: b.name, version: b.sweep.version },
  };
  return {
    schema: "roofserve.diff/1",
    kind: "sweep",
    version: ROOFSERVE_VERSION,
    ...sides,
    isIdentical: config.length === 0 && onlyA.length + onlyB.length === 0 && isSame,
    config,
    points,
    onlyA,
    onlyB,
    notes: versionNotes(sides.a, sides.b),
  };
}

function measuredByPlace({ sweep }: ComparedSweep): Map<string, MeasuredPoint> {
  return new Map(sweep.points.filter(isMeasured).map((point) => [placeOf(point), point]));
}

/** Equal for points of the same load and varied values. A GuideLLM sweep makes its loads: there the place counts. */
function placeOf({ varied, strategy, rate, streams, benchmarkIndex }: PointResult): string {
  const axes = Object.entries(varied).sort(([x], [y]) => (x < y ? -1 : 1));
  return JSON.stringify([axes, strategy, rate, streams, rate === null ? benchmarkIndex : null]);
}

function pointChange(a: MeasuredPoint, b: MeasuredPoint): PointChange {
  const { label, varied, strategy, rate, streams } = a;
  const apart = apartByName(a, b);
  const metrics = metricChanges(a, b).map((metric) => ({ ...metric, isApart: apart.get(metric.name) ?? null }));
  return { label, varied, strategy, rate, streams, metrics };
}

/** Whether the intervals of the headline numbers lie apart, by the number's name. */
function apartByName(a: MeasuredPoint, b: MeasuredPoint): Map<string, boolean> {
  const [ofA, ofB] = [a.seedIntervals?.intervals, b.seedIntervals?.intervals];
  if (ofA === undefined || ofB === undefined) return new Map();
  const groups = Object.entries(ofA) as [keyof typeof ofA, Readonly<Record<string, Interval | null>>][];
  return new Map(
    groups.flatMap(([group, intervals]) =>
      Object.entries(intervals).flatMap(([name, x]): [string, boolean][] => {
        const y = (ofB[group] as Readonly<Record<string, Interval | null>> | undefined)?.[name];
        return x === null || y === null || y === undefined
          ? []
          : [[`${group}.${name}`, x.high < y.low || y.high < x.low]];
      }),
    ),
  );
}
