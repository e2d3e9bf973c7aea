import { type ConfigDifference, configDifferences } from "../../config/compareConfigs.js";
import { ROOFSERVE_VERSION } from "../../engine/version.js";
import type { Interval } from "../../metrics/interval.js";
import { isMeasured, type MeasuredPoint, type PointResult } from "../sweep/sweepPoint.js";
import { LOAD_PATHS, type SweepResult } from "../sweep/sweepResult.js";
import { type DiffSide, versionNotes } from "./diffSide.js";
import { changeOf, type MetricChange, metricChanges } from "./metricChange.js";
import { isSameLoad, WORDS } from "./runDiff.js";
import { pairedVerdict, type SeedMetricChange } from "./seedChange.js";
import { type SweepSeeds, seedNotes, sweepSeeds } from "./sweepSeeds.js";
import { apartVerdict } from "./verdict.js";

/** One side of a comparison of sweeps. */
export interface ComparedSweep {
  /** What the user calls it. */
  readonly name: string;
  readonly sweep: Pick<SweepResult, "version" | "config" | "grid" | "points">;
}

/** Which point of a sweep. */
export type PointName = Pick<MeasuredPoint, "label" | "varied" | "strategy" | "rate" | "streams">;

/** A point in two sweeps, its numbers in the order of `metricChanges`. */
export interface PointChange extends PointName {
  /** `interval` is of the mean of the seeds' own changes; null where `verdict` comes without one. */
  readonly metrics: readonly SeedMetricChange[];
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
  /** Of what all points of a sweep have in common, and of the seeds. */
  readonly config: readonly ConfigDifference[];
  readonly seeds: SweepSeeds;
  /** Points that were measured in both sweeps, in the order of A. */
  readonly points: readonly PointChange[];
  /** Points that only one sweep has, or that failed in the other one. */
  readonly onlyA: readonly PointName[];
  readonly onlyB: readonly PointName[];
  readonly notes: readonly string[];
}

/** Compares two sweeps point by point: points of the same load and the same varied values. */
export function sweepDiff(a: ComparedSweep, b: ComparedSweep): SweepDiff {
  const [ofA, ofB] = [measuredByPlace(a), measuredByPlace(b)];
  const configKeys = configDifferences(a.sweep.config, b.sweep.config).filter(
    ({ path }) => ![...WORDS, ...LOAD_PATHS].includes(path),
  );
  const seeds = sweepSeeds(a, b, configKeys);
  const config = [...configKeys, ...configDifferences({ seeds: seeds.a }, { seeds: seeds.b })];
  const points = [...ofA].flatMap(([place, point]) => {
    const other = ofB.get(place);
    return other === undefined ? [] : [pointChange(point, other, seeds, isSameLoad(config))];
  });
  const missing = (from: ReadonlyMap<string, MeasuredPoint>, other: ReadonlyMap<string, MeasuredPoint>) =>
    [...from].filter(([place]) => !other.has(place)).map(([, point]) => placeName(point));
  const [onlyA, onlyB] = [missing(ofA, ofB), missing(ofB, ofA)];
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
    seeds,
    points,
    onlyA,
    onlyB,
    notes: [...versionNotes(sides.a, sides.b), ...seedNotes(seeds, configKeys)],
  };
}

function measuredByPlace({ sweep }: ComparedSweep): Map<string, MeasuredPoint> {
  return new Map(sweep.points.filter(isMeasured).map((point) => [placeOf(point), point]));
}

function placeName({ label, varied, strategy, rate, streams }: MeasuredPoint): PointName {
  return { label, varied, strategy, rate, streams };
}

/** Equal for points of the same load and varied values. A GuideLLM sweep makes its loads: there the place counts. */
function placeOf({ varied, strategy, rate, streams, benchmarkIndex }: PointResult): string {
  const axes = Object.entries(varied).sort(([x], [y]) => (x < y ? -1 : 1));
  return JSON.stringify([axes, strategy, rate, streams, rate === null ? benchmarkIndex : null]);
}

function pointChange(a: MeasuredPoint, b: MeasuredPoint, seeds: SweepSeeds, isSameLoad: boolean): PointChange {
  const metrics = metricChanges(a, b, isSameLoad).map((metric) => ({ ...metric, ...certainty(metric, a, b, seeds) }));
  return { ...placeName(a), metrics };
}

/** What the seeds tell of a number: seed by seed where both sides keep it of each, else from the intervals of the sides. */
function certainty(
  { name, change }: MetricChange,
  a: MeasuredPoint,
  b: MeasuredPoint,
  { method, isSameRequests }: SweepSeeds,
): Pick<SeedMetricChange, "interval" | "verdict"> {
  if (change === 0 && isSameRequests) return { interval: null, verdict: "none" };
  const [ofA, ofB] = [valuesOf(a, name), valuesOf(b, name)];
  if (method === "paired" && ofA !== null && ofB !== null) {
    const changes = ofA.map((value, seed) => changeOf(value, ofB[seed] ?? null).change);
    return pairedVerdict(changes.filter((one) => one !== null));
  }
  return { interval: null, verdict: apartVerdict(intervalOf(a, name), intervalOf(b, name)) };
}

function valuesOf({ seedValues }: MeasuredPoint, name: string): readonly (number | null)[] | null {
  return (seedValues as Readonly<Record<string, readonly (number | null)[]>> | null)?.[name] ?? null;
}

function intervalOf({ seedIntervals }: MeasuredPoint, name: string): Interval | null {
  const [group = "", statistic = ""] = name.split(".");
  const intervals = seedIntervals?.intervals as Readonly<Record<string, Record<string, Interval | null>>> | undefined;
  return intervals?.[group]?.[statistic] ?? null;
}
