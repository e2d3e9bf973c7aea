import type { RunConfig } from "../../engine/runConfig.js";
import type { ErrorCode } from "../../errors/simulationError.js";
import type { ArrivalProfile } from "../../workload/arrivalConfig.js";
import type { SeedIntervals, SeedValues } from "./meanRun.js";
import type { SweepRun } from "./sweepRun.js";

/** A place on the grid, not run yet. */
export interface SweepPoint {
  /** Unique in the sweep. */
  readonly label: string;
  /** Index of the series it belongs to. */
  readonly series: number;
  /** Place in the sweep, from 0: series by series, load by load; after these the points that series go further by. */
  readonly index: number;
  /** Values of the grid's axes here, by config path. */
  readonly varied: Readonly<Record<string, unknown>>;
  /** For the first seed; the others differ in `seed` alone. */
  readonly config: RunConfig;
  readonly benchmarkIndex: number;
  readonly isProbe: boolean;
}

/** What a point of a result says of itself, whether it succeeded or not. */
interface PointHead {
  readonly label: string;
  readonly series: number;
  readonly index: number;
  readonly varied: Readonly<Record<string, unknown>>;
  /** Arrival profile, in GuideLLM's words. */
  readonly strategy: ArrivalProfile["kind"];
  /** Offered load, requests/s; null where the server sets the pace. */
  readonly rate: number | null;
  /** Closed loops of a concurrent profile, else null. */
  readonly streams: number | null;
  readonly benchmarkIndex: number;
  /** Whether it is ours, beyond GuideLLM's sweep profile and there to find saturation: no benchmark of a GuideLLM file. */
  readonly isProbe: boolean;
  readonly seeds: readonly number[];
}

/** A point with its numbers, each the mean over the seeds. */
export interface MeasuredPoint extends PointHead, SweepRun {
  readonly error: null;
  /** How sure the means are; null with one seed, which does not tell. */
  readonly seedIntervals: SeedIntervals | null;
  /** What they are the means of, parallel to `seeds`; null with one seed. */
  readonly seedValues: SeedValues | null;
  /**
   * Throughput over what it would be if the server kept up: all requests that it did not refuse within the time of the
   * arrivals and one mean latency. About 1 below saturation; null where the server sets the pace, or nothing was served.
   */
  readonly keptUpFraction: number | null;
}

/** A point that cannot work, or went wrong. */
export interface FailedPoint extends PointHead {
  readonly error: string;
  /** `capacity` and `config`: it cannot work as asked. */
  readonly errorCode: ErrorCode;
}

/** An element of `points` in the `roofserve.sweep/1` contract. */
export type PointResult = MeasuredPoint | FailedPoint;

export function isMeasured(point: PointResult): point is MeasuredPoint {
  return point.error === null;
}

/** The load that an arrival profile offers. */
export function loadOf(profile: ArrivalProfile): Pick<PointHead, "strategy" | "rate" | "streams"> {
  return {
    strategy: profile.kind,
    rate: "rate" in profile ? profile.rate : null,
    streams: "streams" in profile ? profile.streams : null,
  };
}
