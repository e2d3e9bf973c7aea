import { type RequestErrors, requestErrors } from "./calibrationErrors.js";
import type { CalibrationTerm, TermValues } from "./calibrationTerms.js";
import type { Evidence, FittedRun } from "./evidence.js";
import { fitResiduals, type ResidualEstimate, type ResidualTerm, withoutResiduals } from "./residualTerms.js";

/** Each training block judges once; blocks of one fold lie so far apart. */
export const NUM_FOLDS = 5;

/**
 * The residual of the training requests, if such a one also lowers the errors of training requests that it was not fitted
 * on; else none. The validation requests have no say, so that they can judge what comes out.
 */
export function chooseResiduals(
  evidence: Evidence,
  values: TermValues,
  terms: readonly CalibrationTerm[],
): Record<ResidualTerm, ResidualEstimate> {
  const { residual, estimates } = fitResiduals(evidence, values, terms);
  const isNone = Object.values(residual).every((value) => value === 0);
  if (isNone || heldOutGain(evidence, values, terms) > 0) return estimates;
  return withoutResiduals(estimates, "it does not lower the error on training requests left out of its fit");
}

/** Percent of error that residuals take away on the training requests of folds that they were not fitted on. */
function heldOutGain(evidence: Evidence, values: TermValues, terms: readonly CalibrationTerm[]): number {
  const replays = evidence.replay(values);
  let gain = 0;
  for (let fold = 0; fold < NUM_FOLDS; fold++) {
    // Noise and slopes stay those of the whole: four fifths of the blocks show them no better.
    const { residual } = fitResiduals(
      { ...evidence, runs: evidence.runs.map((run) => without(run, fold)) },
      values,
      terms,
    );
    const parts = evidence.runs.map(({ run, split }, i) => ({
      run,
      records: replays[i]!,
      indices: split.training.filter((_, block) => block % NUM_FOLDS === fold).flat(),
    }));
    gain += total(requestErrors(parts, null)) - total(requestErrors(parts, residual));
  }
  return gain;
}

function without({ run, split }: FittedRun, fold: number): FittedRun {
  return { run, split: { ...split, training: split.training.filter((_, block) => block % NUM_FOLDS !== fold) } };
}

function total({ e2eMape, ttftMape }: RequestErrors): number {
  return (e2eMape ?? 0) + (ttftMape ?? 0);
}
