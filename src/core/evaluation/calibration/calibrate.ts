import { DataFileError } from "../../errors/simulationError.js";
import type { ClientResidual } from "../../metrics/clientResidual.js";
import { type CalibrationCase, isAsyncCase } from "./calibrationCase.js";
import { type RequestErrors, requestErrors } from "./calibrationErrors.js";
import {
  BUILT_IN_START,
  type CalibrationStart,
  startValues,
  type TermValues,
  termsOfOneRun,
} from "./calibrationTerms.js";
import { chooseResiduals } from "./chooseResiduals.js";
import { type Evidence, gatherEvidence } from "./evidence.js";
import { fitTerms, type TermFit } from "./fitTerms.js";
import { type ResidualEstimate, type ResidualTerm, residualOf } from "./residualTerms.js";
import { usableRequests } from "./splitRun.js";

/** Fewer usable requests than this fit noise. */
export const MIN_CALIBRATION_REQUESTS = 100;
/** A fit whose validation error exceeds its training error by this factor is refused. */
export const MAX_VALIDATION_RATIO = 2;
/** Errors below this count as this, percent: their ratio says nothing. */
const SMALL_ERROR_PERCENT = 0.5;

/** Errors with the starting constants and with the fitted ones. */
export interface BeforeAfter {
  readonly before: RequestErrors;
  readonly after: RequestErrors;
}

/** What calibrating on one experiment found. */
export interface Calibrated {
  readonly isAsync: boolean;
  readonly values: TermValues;
  readonly terms: TermFit["estimates"];
  readonly residual: ClientResidual;
  readonly residuals: Readonly<Record<ResidualTerm, ResidualEstimate>>;
  readonly training: BeforeAfter;
  readonly validation: BeforeAfter;
  /** Requests at the start of the runs that were left out. */
  readonly numWarmUp: number;
  readonly runs: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Fits the server's constants to one experiment, then what they leave unexplained. Deterministic for a seed.
 * @throws DataFileError when the experiment has too few usable requests, was overloaded, or the fit does not hold on
 * the requests it was not fitted on
 */
export function calibrate(from: CalibrationCase, seed: number, start: CalibrationStart = BUILT_IN_START): Calibrated {
  requireUsable(from);
  return calibrateOn(gatherEvidence(from, start, seed));
}

/** `calibrate` from evidence that is there already. @throws DataFileError as `calibrate` does */
export function calibrateOn(evidence: Evidence): Calibrated {
  const { from, start, runs, leftOut } = evidence;
  requireEnough(evidence);
  const isAsync = isAsyncCase(from);
  const { values, estimates: terms } = fitTerms([evidence], start, termsOfOneRun(isAsync));
  const before = startValues(start, isAsync);
  const residuals = chooseResiduals(evidence, values, termsOfOneRun(isAsync));
  const residual = residualOf(residuals);
  const calibrated = {
    isAsync,
    values,
    terms,
    residual,
    residuals,
    training: {
      after: errorsOn(evidence, values, residual, "training"),
      before: errorsOn(evidence, before, null, "training"),
    },
    validation: {
      after: errorsOn(evidence, values, residual, "validation"),
      before: errorsOn(evidence, before, null, "validation"),
    },
    numWarmUp: runs.reduce((sum, { split }) => sum + split.numWarmUp, 0),
    runs: runs.map(({ run }) => run.name),
    notes: leftOut.map((reason) => `left out: ${reason}`),
  };
  requireHolds(from.name, calibrated);
  return calibrated;
}

function errorsOn(
  { runs, replay }: Evidence,
  values: TermValues,
  residual: ClientResidual | null,
  part: "training" | "validation",
): RequestErrors {
  const replays = replay(values);
  const parts = runs.map(({ run, split }, i) => ({
    run,
    records: replays[i]!,
    indices: part === "validation" ? split.validation : split.training.flat(),
  }));
  return requestErrors(parts, residual);
}

/** Says before any simulation what no simulation can mend. */
function requireUsable({ name, runs }: CalibrationCase): void {
  const fair = runs.filter((run) => run.excluded === null);
  if (fair.length === 0) {
    const reasons = runs.map((run) => `${run.name}: ${run.excluded}`).join("; ");
    throw new DataFileError(
      { file: name },
      `cannot be calibrated on: ${reasons || "it holds no runs"}; give a run below saturation`,
    );
  }
  const numUsable = fair.reduce((sum, run) => sum + usableRequests(run.measured).length, 0);
  if (numUsable < MIN_CALIBRATION_REQUESTS) throw tooFew(name, numUsable, []);
}

function requireEnough({ from, runs, leftOut }: Evidence): void {
  const numUsable = runs.reduce((sum, { run }) => sum + usableRequests(run.measured).length, 0);
  if (numUsable < MIN_CALIBRATION_REQUESTS) throw tooFew(from.name, numUsable, leftOut);
}

function tooFew(name: string, numUsable: number, leftOut: readonly string[]): DataFileError {
  const without = leftOut.length === 0 ? "" : ` (left out: ${leftOut.join("; ")})`;
  return new DataFileError(
    { file: name },
    `has ${numUsable} usable requests${without}; calibration needs at least ${MIN_CALIBRATION_REQUESTS} that completed ` +
      "below saturation: send more requests, or fewer per second",
  );
}

function requireHolds(name: string, { training, validation }: Pick<Calibrated, "training" | "validation">): void {
  for (const [metric, key] of [
    ["E2E", "e2eMape"],
    ["TTFT", "ttftMape"],
  ] as const) {
    const fitted = training.after[key];
    const held = validation.after[key];
    if (fitted === null || held === null) {
      const problem = `calibration refused: no ${metric} can be compared on the requests kept for validation`;
      throw new DataFileError({ file: name }, `${problem}; measure a run whose requests complete`);
    }
    if (held <= MAX_VALIDATION_RATIO * Math.max(fitted, SMALL_ERROR_PERCENT)) continue;
    throw new DataFileError(
      { file: name },
      `calibration refused: the ${metric} error is ${held.toFixed(1)} % on the requests kept for validation and ` +
        `${fitted.toFixed(1)} % on those it was fitted on, more than ${MAX_VALIDATION_RATIO} times as much; ` +
        "stay with the built-in constants, or measure a longer and steadier run",
    );
  }
}
