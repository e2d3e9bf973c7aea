import type { Deployment } from "../../engine/createServer.js";
import { DataFileError } from "../../errors/simulationError.js";
import type { MeasuredRun } from "../../metrics/measuredExperiment.js";
import type { RequestRecord } from "../../metrics/requestRecord.js";
import { evaluateRun } from "../evaluateRun.js";
import type { CalibrationCase } from "./calibrationCase.js";
import { type RequestErrors, requestErrors } from "./calibrationErrors.js";
import { usableRequests } from "./splitRun.js";
import { judgeStaleness, type StalenessVerdict } from "./staleness.js";

/** How a calibration does on a run that it was not fitted on. */
export interface CalibrationCheck extends StalenessVerdict {
  readonly verdict: "fresh" | "stale" | "not applicable";
  /** Why it is not applicable: what it moved but the run's server cannot use. */
  readonly leftOut: readonly string[];
  /** Requests of the experiment, and those that completed whenever measured or simulated: only they are compared. */
  readonly numRequests: number;
  readonly numCompared: number;
  /** What became of the others, each with their number. */
  readonly dropped: readonly string[];
  /** With the built-in constants, over the same requests. */
  readonly before: RequestErrors;
  /** With the calibration. */
  readonly errors: RequestErrors;
}

/**
 * Replays an experiment with the built-in constants and with a calibration.
 * @param from with the built-in constants
 * @param calibrated the same deployment with the calibration
 * @param leftOut what of it the deployment cannot use, as `applyCalibration` says
 * @throws DataFileError when no run of the experiment can be compared fairly
 */
export function checkCalibration(
  from: CalibrationCase,
  calibrated: Deployment,
  leftOut: readonly string[],
): CalibrationCheck {
  const replays = from.runs
    .filter(({ excluded }) => excluded === null)
    .map((run): ReplayedTwice => {
      const records = (deployment: Deployment) => evaluateRun(deployment, from.config, run).records;
      return { run, before: records(from.deployment), after: records(calibrated) };
    });
  const excluded = from.runs.filter((run) => run.excluded !== null);
  if (replays.length === 0) {
    const reasons = excluded.map((run) => `${run.name}: ${run.excluded}`).join("; ");
    throw new DataFileError({ file: from.name }, `nothing can be checked on: ${reasons || "it holds no runs"}`);
  }
  const errorsOf = (which: "before" | "after") =>
    requestErrors(
      replays.map((replay) => ({ run: replay.run, records: replay[which], indices: comparable(replay) })),
      null,
    );
  const errors = errorsOf("after");
  const verdict = judgeStaleness(errors);
  return {
    ...verdict,
    verdict: leftOut.length > 0 ? "not applicable" : verdict.isStale ? "stale" : "fresh",
    leftOut,
    numRequests: count(from.runs),
    numCompared: errors.numRequests,
    dropped: droppedRequests(replays, excluded),
    before: errorsOf("before"),
    errors,
  };
}

interface ReplayedTwice {
  readonly run: MeasuredRun;
  readonly before: readonly RequestRecord[];
  readonly after: readonly RequestRecord[];
}

function comparable({ run, before, after }: ReplayedTwice): number[] {
  return usableRequests(run.measured).filter(
    (i) => before[i]?.status === "completed" && after[i]?.status === "completed",
  );
}

function droppedRequests(replays: readonly ReplayedTwice[], excluded: readonly MeasuredRun[]): string[] {
  const numUsable = replays.reduce((sum, { run }) => sum + usableRequests(run.measured).length, 0);
  const numFailed = count(replays.map(({ run }) => run)) - numUsable;
  const numUnfinished = numUsable - replays.reduce((sum, replay) => sum + comparable(replay).length, 0);
  return [
    ...(numFailed === 0 ? [] : [`${numFailed} failed when measured`]),
    ...(numUnfinished === 0 ? [] : [`${numUnfinished} did not complete when simulated`]),
    ...excluded.map((run) => `${run.measured.length} of ${run.name}, left out: ${run.excluded}`),
  ];
}

function count(runs: readonly MeasuredRun[]): number {
  return runs.reduce((sum, { measured }) => sum + measured.length, 0);
}
