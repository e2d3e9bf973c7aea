import { commonConfig } from "../../config/compareConfigs.js";
import type { RunConfig } from "../../engine/runConfig.js";
import { ROOFSERVE_VERSION } from "../../engine/version.js";
import { hasSessions, turnsPerStart } from "../../workload/turnsPerStart.js";
import { type BestServers, bestServers, type RankedSeries } from "./bestServers.js";
import { lostRequestsNote } from "./lostRequests.js";
import type { Sweep } from "./runSweep.js";
import { SATURATION_METHOD, type SeriesSaturation, seriesSaturation } from "./saturation.js";
import { isMeasured, type PointResult } from "./sweepPoint.js";

/** Places of the config that a sweep's loads set: they are a point's own, even where all points have the same. */
export const LOAD_PATHS = ["workload.profile.rate", "workload.profile.streams"];

/** What a sweep was asked to vary. */
export interface SweepGrid {
  /** Config paths varied, with their values, in the order in which they were given. */
  readonly axes: readonly { readonly path: string; readonly values: readonly unknown[] }[];
  /** Offered loads of each series, requests/s or streams; null where a profile makes them. */
  readonly rates: readonly number[] | null;
  /** Benchmarks of GuideLLM's sweep profile, else null. */
  readonly guidellmSize: number | null;
  readonly seeds: readonly number[];
}

/** The `roofserve.sweep/1` contract: keys are API. */
export interface SweepResult {
  readonly schema: "roofserve.sweep/1";
  /** roofserve's version. */
  readonly version: string;
  /** What the configs of all points have in common; with a point's `varied`, load and a seed it is that of a run. */
  readonly config: object;
  readonly grid: SweepGrid;
  /** Series by series, load by load. */
  readonly points: readonly PointResult[];
  readonly saturation: {
    readonly method: typeof SATURATION_METHOD;
    readonly series: readonly SeriesSaturation[];
    /** Which servers carry most; null for a single one without an SLO, or where none can be ranked. */
    readonly best: BestServers | null;
  };
  /** What any of the runs has a note of, and which servers do not complete most requests. */
  readonly notes: readonly string[];
}

/** Puts finished points under one roof: finds where each series saturates. */
export function sweepResult(sweep: Sweep, grid: SweepGrid, points: readonly PointResult[]): SweepResult {
  const series = sweep.series.map(({ label, varied, configs }, index) =>
    seriesSaturation(
      { label, varied, hasSessions: configs.some(({ workload }) => hasSessions(workload.data)) },
      index,
      points.filter((point) => point.series === index),
    ),
  );
  const ranked = series.map((saturation, index) => ({
    saturation,
    points: points.filter((point) => point.series === index),
    ...serverOf(sweep.series[index]!.configs[0]!),
  }));
  const best = bestServers(ranked, sweep.slo ?? null, sweep.seeds.length);
  const lost = ranked.flatMap(({ saturation, points }) => lostRequestsNote(saturation.label, points) ?? []);
  const notes = [...points.flatMap((point) => (isMeasured(point) ? point.notes : [])), ...lost];
  return {
    schema: "roofserve.sweep/1",
    version: ROOFSERVE_VERSION,
    config: sweepConfig(sweep),
    grid,
    points,
    saturation: { method: SATURATION_METHOD, series, best },
    notes: [...new Set(notes)].sort(),
  };
}

function serverOf({ engine, workload }: RunConfig): Pick<RankedSeries, "numGpus" | "turnsPerStart"> {
  return { numGpus: engine.tensorParallelSize, turnsPerStart: turnsPerStart(workload.data) };
}

/** What the configs of all points have in common, without the seed; of a GuideLLM sweep, which makes its loads, without them. */
export function sweepConfig({ series, guidellmSize }: Sweep): object {
  const configs = series.flatMap(({ configs }) => configs);
  return commonConfig(
    configs.map(({ seed: _seed, workload, ...config }) => {
      const { profile: _profile, ...requests } = workload;
      return { ...config, workload: guidellmSize === null ? workload : requests };
    }),
  );
}
