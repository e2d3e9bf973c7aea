import type { MeasuredExperiment, MeasuredRun } from "../../metrics/measuredExperiment.js";
import { MS_PER_S, US_PER_S } from "../../units/units.js";

/** Requests of a part at most: its first ones. Hundreds of replays look at them, and more of the same add little. */
const MAX_REQUESTS = 2000;
/** Requests replayed after them, so that the last ones looked at run under the load they had. */
const TAIL_REQUESTS = 400;

/** A part of a measured run at one offered load. */
export interface LoadPoint {
  readonly experiment: MeasuredExperiment;
  /** Cut some requests after the part. What came before stays: it is in the prefix cache. */
  readonly run: MeasuredRun;
  /** The part's requests: `[firstIndex, endIndex)` of the run's. */
  readonly firstIndex: number;
  readonly endIndex: number;
  /** Requests/s that arrived, measured. */
  readonly requestsPerS: number;
}

/**
 * The parts of an experiment by load, lightest first: stages of its runs, or whole runs, 2000 requests of each at most.
 * Left out is what has no load of its own: runs that were excluded, that kept several requests in flight whatever the
 * server did, or that had sent their last request before the first could be answered.
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
      return [{ experiment, run: cutAfter(run, endIndex + TAIL_REQUESTS), firstIndex, endIndex, requestsPerS }];
    }),
  );
  return points.sort((a, b) => a.requestsPerS - b.requestsPerS);
}

/** Requests/s between the first and the last arrival; null where all were sent within the shortest latency. */
function arrivalRate({ specs, measured }: MeasuredRun, firstIndex: number, endIndex: number): number | null {
  const first = specs[firstIndex];
  const last = specs[endIndex - 1];
  if (first === undefined || last === undefined) return null;
  const spanS = (last.arrivalUs - first.arrivalUs) / US_PER_S;
  const answered = measured.slice(firstIndex, endIndex).filter(({ failed }) => !failed);
  const shortestS = answered.reduce((least, { e2eMs }) => Math.min(least, e2eMs), Number.POSITIVE_INFINITY) / MS_PER_S;
  return spanS > shortestS ? (endIndex - 1 - firstIndex) / spanS : null;
}

function cutAfter(run: MeasuredRun, endIndex: number): MeasuredRun {
  return { ...run, specs: run.specs.slice(0, endIndex), measured: run.measured.slice(0, endIndex) };
}
