import type { MeasuredExperiment, MeasuredRun } from "../../metrics/measuredExperiment.js";
import { US_PER_S } from "../../units/units.js";

/** Requests of a part at most: its first ones. Hundreds of replays look at them, and more of the same add little. */
const MAX_REQUESTS = 2000;

/** A part of a measured run at one offered load. */
export interface LoadPoint {
  readonly experiment: MeasuredExperiment;
  /** Cut after the part: what came later cannot matter. What came before does, in the prefix cache. */
  readonly run: MeasuredRun;
  /** The part's requests: `[firstIndex, endIndex)` of the run's. */
  readonly firstIndex: number;
  readonly endIndex: number;
  /** Requests/s that arrived, measured. */
  readonly requestsPerS: number;
}

/**
 * The parts of an experiment by load, lightest first: stages of its runs, or whole runs, 2000 requests of each at most. Runs that kept several
 * requests in flight whatever the server did, and runs that were excluded, are left out: their load is the server's own.
 */
export function loadPoints(experiment: MeasuredExperiment): LoadPoint[] {
  const usable = experiment.runs.filter(
    ({ closedLoopConcurrency, excluded }) => excluded === null && (closedLoopConcurrency ?? 1) === 1,
  );
  const points = usable.flatMap((run) =>
    run.stages.flatMap(({ firstIndex, ...stage }): LoadPoint[] => {
      const endIndex = Math.min(stage.endIndex, firstIndex + MAX_REQUESTS);
      const requestsPerS = arrivalRate(run, firstIndex, endIndex);
      if (requestsPerS === null) return [];
      return [{ experiment, run: cutAfter(run, endIndex), firstIndex, endIndex, requestsPerS }];
    }),
  );
  return points.sort((a, b) => a.requestsPerS - b.requestsPerS);
}

/** Requests/s between the first and the last arrival; null where all came at once. */
function arrivalRate({ specs }: MeasuredRun, firstIndex: number, endIndex: number): number | null {
  const first = specs[firstIndex];
  const last = specs[endIndex - 1];
  if (first === undefined || last === undefined || last.arrivalUs <= first.arrivalUs) return null;
  return (endIndex - 1 - firstIndex) / ((last.arrivalUs - first.arrivalUs) / US_PER_S);
}

function cutAfter(run: MeasuredRun, endIndex: number): MeasuredRun {
  return { ...run, specs: run.specs.slice(0, endIndex), measured: run.measured.slice(0, endIndex) };
}
