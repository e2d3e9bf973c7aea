import { DataFileError } from "../../errors/simulationError.js";
import type { ClientResidual } from "../../metrics/clientResidual.js";
import type { MeasuredRun } from "../../metrics/measuredExperiment.js";
import { evaluateRun } from "../evaluateRun.js";
import type { EvaluatedRun } from "../evaluationReport.js";
import { calibrateOn } from "./calibrate.js";
import { type CalibrationCase, deploymentAt, isAsyncCase } from "./calibrationCase.js";
import { type CalibrationStart, startValues, type TermValues, termsOfManyRuns } from "./calibrationTerms.js";
import { type Evidence, gatherEvidence } from "./evidence.js";
import { fitTerms } from "./fitTerms.js";

/** A run predicted with constants that never saw it. */
export interface HeldOutRun {
  readonly calibratedOn: string;
  /** With the starting constants. */
  readonly before: EvaluatedRun;
  readonly after: EvaluatedRun;
  /** Why the calibration was refused, so that `after` is `before`; null when it was not. */
  readonly refused: string | null;
}

export interface CrossValidation {
  readonly start: CalibrationStart["name"];
  /** Each model predicted from all other models on servers that schedule alike. */
  readonly leaveOneModelOut: readonly HeldOutRun[];
  /** Each experiment predicted from each other one of a server that schedules alike. */
  readonly oneOtherRun: readonly HeldOutRun[];
  /** Each run of an experiment with several predicted from its other runs. */
  readonly sameServer: readonly HeldOutRun[];
}

export interface CrossValidationOptions {
  readonly start: CalibrationStart;
  readonly seed: number;
  readonly onProgress?: (what: string) => void;
}

/** Predicts every run from calibrations that it took no part in. Experiments are grouped by scheduling mode. */
export function crossValidate(
  cases: readonly CalibrationCase[],
  { start, seed, onProgress = () => {} }: CrossValidationOptions,
): CrossValidation {
  const evidence = cases.map((from) => {
    onProgress(`evidence of ${from.name}`);
    return gatherEvidence(from, start, seed);
  });
  const starting = new Map(
    cases.flatMap((from) => from.runs.map((run) => [run, predict(from, run, startOf(from, start), start)])),
  );
  const startingOf = (run: MeasuredRun) => starting.get(run) as EvaluatedRun;
  return {
    start: start.name,
    leaveOneModelOut: heldOutModels(evidence, startingOf, onProgress),
    oneOtherRun: heldOutExperiments(evidence, startingOf, onProgress),
    sameServer: cases.flatMap((from) => heldOutRuns(from, start, seed, startingOf)),
  };
}

type StartingErrors = (run: MeasuredRun) => EvaluatedRun;

function startOf(from: CalibrationCase, start: CalibrationStart): TermValues {
  return startValues(start, isAsyncCase(from));
}

function predict(
  from: CalibrationCase,
  run: MeasuredRun,
  values: TermValues,
  start: CalibrationStart,
  residual: ClientResidual | null = null,
): EvaluatedRun {
  const deployment = deploymentAt(from, values, start);
  const constants = { ...deployment.constants, ...(residual === null ? {} : { residual }) };
  return evaluateRun({ ...deployment, constants }, from.config, run).evaluated;
}

function heldOutModels(
  evidence: readonly Evidence[],
  startingOf: StartingErrors,
  onProgress: (what: string) => void,
): HeldOutRun[] {
  const folds = new Map<string, Evidence[]>();
  for (const one of evidence) {
    const key = `${isAsyncCase(one.from)} ${modelOf(one)}`;
    folds.set(key, [...(folds.get(key) ?? []), one]);
  }
  return [...folds.values()].flatMap((heldOut) => {
    const [first] = heldOut as [Evidence];
    const others = evidence.filter(
      (one) =>
        modelOf(one) !== modelOf(first) && isAsyncCase(one.from) === isAsyncCase(first.from) && one.runs.length > 0,
    );
    if (others.length === 0) return [];
    onProgress(`all but ${modelOf(first)}`);
    const { values } = fitTerms(others, first.start, termsOfManyRuns(isAsyncCase(first.from)));
    const calibratedOn = [...new Set(others.map(modelOf))].join(", ");
    return heldOut.flatMap(({ from, start }) =>
      from.runs.map((run) => ({
        calibratedOn,
        before: startingOf(run),
        after: predict(from, run, values, start),
        refused: null,
      })),
    );
  });
}

function heldOutExperiments(
  evidence: readonly Evidence[],
  startingOf: StartingErrors,
  onProgress: (what: string) => void,
): HeldOutRun[] {
  return evidence.flatMap((source) => {
    const targets = evidence.filter((one) => one !== source && isAsyncCase(one.from) === isAsyncCase(source.from));
    if (targets.length === 0) return [];
    onProgress(`from ${source.from.name}`);
    const fit = calibrated(source);
    return targets.flatMap((target) =>
      target.from.runs.map((run) => heldOut(fit, source, target.from, run, startingOf(run))),
    );
  });
}

function heldOutRuns(
  from: CalibrationCase,
  start: CalibrationStart,
  seed: number,
  startingOf: StartingErrors,
): HeldOutRun[] {
  if (from.runs.length < 2) return [];
  return from.runs.map((run) => {
    const others = { ...from, name: `the other runs of ${from.name}`, runs: from.runs.filter((one) => one !== run) };
    const source = gatherEvidence(others, start, seed);
    return heldOut(calibrated(source), source, from, run, startingOf(run));
  });
}

type Fit = { readonly values: TermValues; readonly residual: ClientResidual } | { readonly refused: string };

function calibrated(source: Evidence): Fit {
  try {
    return calibrateOn(source);
  } catch (error) {
    // A refusal is an outcome of the method, which is what is judged here.
    if (error instanceof DataFileError) return { refused: error.message };
    throw error;
  }
}

function heldOut(fit: Fit, source: Evidence, to: CalibrationCase, run: MeasuredRun, before: EvaluatedRun): HeldOutRun {
  const calibratedOn = source.from.name;
  if ("refused" in fit) return { calibratedOn, before, after: before, refused: fit.refused };
  const residual = isSameServer(source.from, to) ? fit.residual : null;
  return { calibratedOn, before, after: predict(to, run, fit.values, source.start, residual), refused: null };
}

function isSameServer(a: CalibrationCase, b: CalibrationCase): boolean {
  return (
    a.deployment.architecture.id === b.deployment.architecture.id &&
    a.deployment.gpu.id === b.deployment.gpu.id &&
    a.config.engine.tensorParallelSize === b.config.engine.tensorParallelSize
  );
}

function modelOf({ from }: Evidence): string {
  return from.deployment.architecture.id;
}
