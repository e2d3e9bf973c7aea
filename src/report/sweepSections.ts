import type { SeriesSaturation, Standing } from "../core/analysis/sweep/saturation.js";
import type { LatencyQuantiles } from "../core/analysis/sweep/sweepRun.js";
import type { Interval } from "../core/metrics/interval.js";

/** Servers that the plots of a page show at most: each has a colour of its own. */
export const MOST_DRAWN_SERVERS = 8;

/** What loads count. */
export type LoadUnit = NonNullable<SeriesSaturation["unit"]>;

/** Where each server of a sweep saturates, in a sentence and a row each. */
export interface SweepAnswerSection {
  readonly kind: "sweep-answer";
  /** What holds for the sweep as a whole, a sentence each. */
  readonly says: readonly string[];
  readonly servers: readonly SweptServer[];
}

export interface SweptServer
  extends Pick<
    SeriesSaturation,
    "unit" | "finding" | "sustainedLoad" | "saturatedLoad" | "latencyKnee" | "maxThroughput"
  > {
  /** Empty where the sweep has one server. */
  readonly name: string;
  /** Place among the servers that are drawn, which gives the colour; null = not drawn. */
  readonly drawnAs: number | null;
  /** The SLO in words, and the largest load that keeps it, null where none does; null where none was asked. */
  readonly slo: { readonly name: string; readonly keptLoad: number | null } | null;
}

/** Numbers over the load, a plot for each number and a curve in it for each server. */
export interface LoadCurvesSection {
  readonly kind: "load-curves";
  readonly id: string;
  readonly heading: string;
  /** What the plots show, in a sentence or more. */
  readonly says: string;
  readonly unit: LoadUnit;
  readonly curves: readonly LoadCurve[];
  readonly plots: readonly LoadPlot[];
}

/** A server, or another source of numbers over the load. */
export interface LoadCurve {
  /** Empty where there is one. */
  readonly name: string;
  /** `[numLoads]`, ascending. */
  readonly loads: readonly number[];
  /** How each stands to saturation: `[numLoads]`. */
  readonly standings: readonly Standing[];
  readonly kneeLoad: number | null;
  /** It carries the first of these and not the second. */
  readonly saturation: { readonly above: number; readonly below: number } | null;
}

/** One number over the load. */
export interface LoadPlot {
  readonly title: string;
  readonly quantity: "ms" | "count" | "fraction";
  /** `[numCurves][numLoads]`. */
  readonly values: readonly (readonly (number | null)[])[];
  /** Across seeds, as `values`; null where there is one seed, or the number has none. */
  readonly intervals: readonly (readonly (Interval | null)[])[] | null;
  readonly limits: readonly { readonly name: string; readonly limit: number }[];
  /** Whether the number is the load itself as long as the server keeps up. */
  readonly hasDiagonal: boolean;
}

/** How latencies spread over the requests, load by load. */
export interface LoadDistributionsSection {
  readonly kind: "load-distributions";
  readonly servers: readonly {
    readonly name: string;
    readonly loads: readonly { readonly name: string; readonly quantiles: LatencyQuantiles }[];
  }[];
}

/** What the mean step of each load is made of. */
export interface LoadStepsSection {
  readonly kind: "load-steps";
  /** Largest first; the last may be all others. */
  readonly components: readonly string[];
  readonly servers: readonly {
    readonly name: string;
    readonly loads: readonly {
      readonly name: string;
      /** GPU time of the mean step. */
      readonly stepUs: number;
      /** Of that, by component: `[numComponents]`. */
      readonly fractions: readonly number[];
    }[];
  }[];
}

/** Every point of a sweep in numbers, and why others have none. */
export interface SweepPointsSection {
  readonly kind: "sweep-points";
  readonly points: readonly SweptPoint[];
  /** Points of the sweep that the table leaves out because they are too many. */
  readonly numLeftOut: number;
  /** Points that failed, those of one server and reason together. */
  readonly failures: readonly { readonly server: string; readonly loads: readonly string[]; readonly reason: string }[];
}

/** A row of the table. */
export interface SweptPoint {
  readonly server: string;
  readonly load: string;
  readonly standing: Standing;
  readonly requestsPerS: number | null;
  readonly outputTokensPerS: number | null;
  readonly latencies: readonly {
    readonly title: string;
    readonly ms: number | null;
    readonly interval: Interval | null;
  }[];
  readonly kvPeakUsedFraction: number;
  readonly preemptions: number;
  readonly keptUpFraction: number | null;
  /** null where no SLO was asked for. */
  readonly keepsSlo: boolean | null;
}

export type SweepSection =
  | SweepAnswerSection
  | LoadCurvesSection
  | LoadDistributionsSection
  | LoadStepsSection
  | SweepPointsSection;
