import type { ClientResidual } from "../../metrics/clientResidual.js";
import { isAsyncCase } from "./calibrationCase.js";
import { CALIBRATION_TERMS, type CalibrationTerm, type TermValues } from "./calibrationTerms.js";
import { type Evidence, momentsAt } from "./evidence.js";
import { Z_80, Z_95 } from "./fitTerms.js";
import { add, inverse, type Matrix, product, selected, times, transpose } from "./matrix.js";
import { runMoments } from "./runMoments.js";

/** Coefficients of `a·outputTokens + b·promptTokens + d`, in this order. */
export const RESIDUAL_TERMS = ["usPerOutputToken", "usPerPromptToken", "usPerRequest"] as const;
export type ResidualTerm = (typeof RESIDUAL_TERMS)[number];

/** One coefficient, µs; 0 unless kept. */
export interface ResidualEstimate {
  readonly value: number;
  /** What the run says, kept or not, and how sure it is. */
  readonly fitted: number;
  readonly standardError: number;
  readonly low80: number;
  readonly high80: number;
  readonly kept: boolean;
  /** Why it was not kept; null when it was. */
  readonly reason: string | null;
}

/** A pull so weak that it only decides what the runs leave open, µs. */
const OPEN_SPREAD_US = 1e6;

/**
 * What the server's constants left unexplained, as coefficients per token and per request. A physical term explains what
 * both could: each is granted its whole prior spread before a residual is believed. Not kept are coefficients whose 95 %
 * interval then includes 0, and those that would make tokens come faster than the steps that make them.
 */
export function fitResiduals(
  evidence: Evidence,
  values: TermValues,
  terms: readonly CalibrationTerm[],
): { residual: ClientResidual; estimates: Record<ResidualTerm, ResidualEstimate> } {
  const columns = residualSensitivities(evidence, values);
  const weighted = product(transpose(columns), inverse(withPriors(evidence, terms)));
  const information = product(weighted, columns).map((row, i) =>
    row.map((value, j) => (i === j ? value + OPEN_SPREAD_US ** -2 : value)),
  );
  const score = times(weighted, momentsAt(evidence, values));
  const kept = significantTerms(information, score);
  const alone = RESIDUAL_TERMS.map((term, i) => {
    const indices = kept.includes(i) ? kept : [...kept, i];
    const { solution, standardErrors } = solveFor(information, score, indices);
    return { term, value: solution[indices.indexOf(i)]!, standardError: standardErrors[indices.indexOf(i)]! };
  });
  const estimates = alone.map(({ term, value, standardError }, i): [ResidualTerm, ResidualEstimate] => [
    term,
    {
      value: kept.includes(i) ? value : 0,
      fitted: value,
      standardError,
      low80: value - Z_80 * standardError,
      high80: value + Z_80 * standardError,
      kept: kept.includes(i),
      reason: kept.includes(i) ? null : reasonAgainst(i, value, standardError),
    },
  ]);
  const byTerm = Object.fromEntries(estimates) as Record<ResidualTerm, ResidualEstimate>;
  return { residual: residualOf(byTerm), estimates: byTerm };
}

/** Covariance of the moments where each physical term may be anywhere in its prior. */
function withPriors({ from, start, covariance, sensitivities }: Evidence, terms: readonly CalibrationTerm[]): Matrix {
  const priors = start.priors(isAsyncCase(from));
  return terms.reduce((sum, term) => {
    const column = sensitivities.map((row) => row[CALIBRATION_TERMS.indexOf(term)]! * priors[term].spread);
    return add(
      sum,
      column.map((a) => column.map((b) => a * b)),
    );
  }, covariance);
}

/** The residual that estimates make. */
export function residualOf(estimates: Readonly<Record<ResidualTerm, { readonly value: number }>>): ClientResidual {
  return {
    usPerOutputToken: estimates.usPerOutputToken.value,
    usPerPromptToken: estimates.usPerPromptToken.value,
    usPerRequest: estimates.usPerRequest.value,
  };
}

/** The estimates with nothing kept, for the reason given. */
export function withoutResiduals(
  estimates: Readonly<Record<ResidualTerm, ResidualEstimate>>,
  reason: string,
): Record<ResidualTerm, ResidualEstimate> {
  const dropped = RESIDUAL_TERMS.map((term): [ResidualTerm, ResidualEstimate] => {
    const estimate = estimates[term];
    return [term, estimate.kept ? { ...estimate, value: 0, kept: false, reason } : estimate];
  });
  return Object.fromEntries(dropped) as Record<ResidualTerm, ResidualEstimate>;
}

/** `[moment of each run][coefficient]`; a token's delay is its first token's too. */
function residualSensitivities({ runs, replay }: Evidence, values: TermValues): Matrix {
  const replays = replay(values);
  return runs.flatMap(({ run, split }, i) => {
    const { meanPromptTokens } = runMoments(run, replays[i]!, split);
    return [
      [1, meanPromptTokens, 1],
      [0, 1, 0],
      [1, 0, 0],
    ];
  });
}

function significantTerms(information: Matrix, score: readonly number[]): number[] {
  let kept = RESIDUAL_TERMS.map((_, i) => i);
  for (;;) {
    const { solution, standardErrors } = solveFor(information, score, kept);
    const strengths = kept.map((term, i) =>
      isFasterThanSteps(term, solution[i]!) ? 0 : Math.abs(solution[i]!) / standardErrors[i]!,
    );
    const weakest = Math.min(...strengths);
    if (kept.length === 0 || weakest > Z_95) return kept;
    kept = kept.filter((_, i) => i !== strengths.indexOf(weakest));
  }
}

function solveFor(information: Matrix, score: readonly number[], indices: readonly number[]) {
  const covariance = inverse(selected(information, indices));
  const solution = times(
    covariance,
    indices.map((i) => score[i]!),
  );
  return { solution, standardErrors: covariance.map((row, i) => Math.sqrt(row[i]!)) };
}

/** All waits have been given up before a token could come earlier: what remains are the kernels. */
function isFasterThanSteps(term: number, value: number): boolean {
  return RESIDUAL_TERMS[term] === "usPerOutputToken" && value < 0;
}

function reasonAgainst(term: number, value: number, standardError: number): string {
  if (Math.abs(value) > Z_95 * standardError && isFasterThanSteps(term, value)) {
    return "tokens would come faster than the steps that make them";
  }
  return "its 95 % interval includes 0";
}
