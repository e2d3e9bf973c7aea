import type { ConfigDifference } from "../../config/compareConfigs.js";
import type { RunConfig } from "../../engine/runConfig.js";
import { isSameLoad } from "./runDiff.js";
import type { ComparedSweep } from "./sweepDiff.js";

/** What the seeds of two sweeps tell of a change. */
export interface SweepSeeds {
  readonly a: readonly number[];
  readonly b: readonly number[];
  /** Whether both sides were sent the same requests, so that every change is due to the config alone. */
  readonly isSameRequests: boolean;
  /**
   * What tells a change from chance. `paired`: the 95 % interval of the seeds' own changes, of the numbers that are kept of
   * each seed, and of the others as in `unpaired`. `unpaired`: that the intervals of the two sides lie apart. null: nothing
   * does, because a side has one seed.
   */
  readonly method: "paired" | "unpaired" | null;
}

/** @param config where the sweeps differ, but for the seeds */
export function sweepSeeds(a: ComparedSweep, b: ComparedSweep, config: readonly ConfigDifference[]): SweepSeeds {
  const [ofA, ofB] = [a.sweep.grid.seeds, b.sweep.grid.seeds];
  const isSameSeeds = ofA.length === ofB.length && ofA.every((seed, i) => seed === ofB[i]);
  // A trace has the same requests with every seed.
  const isSameDraw = isSameSeeds || [a, b].every(servesTrace);
  const hasValues = [a, b].every(({ sweep }) =>
    sweep.points.every((point) => point.error !== null || (point.seedValues ?? null) !== null),
  );
  const method = Math.min(ofA.length, ofB.length) < 2 ? null : isSameSeeds && hasValues ? "paired" : "unpaired";
  return { a: ofA, b: ofB, isSameRequests: isSameDraw && isSameLoad(config), method };
}

function servesTrace({ sweep }: ComparedSweep): boolean {
  return (sweep.config as Partial<RunConfig>).workload?.data?.kind === "trace";
}

/** What to know of the seeds: nothing, or a sentence. */
export function seedNotes({ a, b, isSameRequests, method }: SweepSeeds, config: readonly ConfigDifference[]): string[] {
  if (config.length === 0 && !isSameRequests) return ["only the seeds differ: all changes are chance"];
  const isSameSeeds = JSON.stringify(a) === JSON.stringify(b);
  if (method === "unpaired" && isSameSeeds) {
    return ["a side was written before the numbers of each seed were kept: its seeds are not compared one by one"];
  }
  return [];
}
