import { isAsyncCase } from "./calibrationCase.js";
import {
  CALIBRATION_TERMS,
  type CalibrationStart,
  type CalibrationTerm,
  type TermPrior,
  type TermValues,
} from "./calibrationTerms.js";
import { type Evidence, momentsAt } from "./evidence.js";
import { add, inverse, type Matrix, product, selected, times, transpose } from "./matrix.js";

/** Standard deviations on either side of an 80 % interval, which is what people are shown. */
export const Z_80 = 1.2816;
/** …and of a 95 % interval, which must exclude a term's start before the term moves: one in twenty moves wrongly. */
export const Z_95 = 1.96;
/** A term is identifiable where the run narrows what was believed of it to less than this share. */
const IDENTIFIABLE_FRACTION = 0.7;
/** Degrees of freedom of the prior: a run that clearly contradicts it wins. */
const PRIOR_DEGREES = 3;
const PRIOR_ITERATIONS = 30;
/** How much wider than believed a term may lie when the search for its value begins. */
const UNDECIDED = 30;
/** Times that the simulator is asked again, at the values found. */
const MAX_REFINEMENTS = 3;
/** A step below this share of the standard error is no news. */
const SETTLED_FRACTION = 0.1;

/** What became of a term: moved by the run; left alone because the run agrees with it, or says nothing of it. */
export type TermStatus = "fitted" | "agrees" | "not identifiable";

export interface TermEstimate {
  /** What is used: `fitted` where the run moved the term, else `start`. */
  readonly value: number;
  /** Where the run puts it, used or not; `start` where the run says nothing. */
  readonly fitted: number;
  /** Of `fitted`, by the posterior: noise of the run, spread of kernel times, and what was believed before. */
  readonly standardError: number;
  /** 80 % interval about `fitted`; ends at the least possible value. */
  readonly low80: number;
  readonly high80: number;
  readonly start: number;
  readonly identifiable: boolean;
  readonly status: TermStatus;
}

export interface TermFit {
  readonly values: TermValues;
  readonly estimates: Readonly<Partial<Record<CalibrationTerm, TermEstimate>>>;
}

type Priors = Readonly<Record<CalibrationTerm, TermPrior>>;

/** Normal equations of the evidence at some values, in the order of `CALIBRATION_TERMS`. */
interface Normal {
  readonly values: TermValues;
  readonly information: Matrix;
  readonly score: readonly number[];
}

/**
 * The most probable values of the terms given one or more experiments: Gauss–Newton through the simulator on robust
 * moments of the residuals, with a prior of heavy tails. All experiments must schedule alike, asynchronously or not.
 * A term moves only where the evidence can tell it from the terms before it and its 95 % interval excludes the start.
 */
export function fitTerms(
  evidence: readonly Evidence[],
  start: CalibrationStart,
  terms: readonly CalibrationTerm[],
): TermFit {
  const priors = start.priors(evidence.some(({ from }) => isAsyncCase(from)));
  let values = Object.fromEntries(CALIBRATION_TERMS.map((term) => [term, priors[term].start])) as TermValues;
  const information = evidence
    .map(({ sensitivities, precision }) => product(product(transpose(sensitivities), precision), sensitivities))
    .reduce(add);
  let candidates: CalibrationTerm[] = [];
  let moved: CalibrationTerm[] = [];
  let normal = normalAt(evidence, information, values);
  for (let refinement = 0; ; refinement++) {
    // Chosen anew at each point: far from the truth one term may look like another.
    candidates = identifiableTerms(normal, priors, terms);
    moved = start.keepsStart ? contradictedTerms(normal, priors, candidates) : candidates;
    const next = solve(normal, priors, moved);
    const isSettled = isNear(next, values, moved);
    values = next.values;
    if (isSettled || refinement === MAX_REFINEMENTS) break;
    normal = normalAt(evidence, information, values);
  }
  const all = solve(normal, priors, candidates);
  const final = solve(normal, priors, moved);
  const estimates = terms.map((term) => [term, estimateOf(term, priors[term], values, candidates, moved, all, final)]);
  return { values, estimates: Object.fromEntries(estimates) };
}

/** Whether a solution stays, within a fraction of its errors, where the simulator was asked. */
function isNear({ values, standardErrors }: Solution, asked: TermValues, moved: readonly CalibrationTerm[]): boolean {
  return CALIBRATION_TERMS.every((term) => {
    const place = moved.indexOf(term);
    const limit = place < 0 ? 0 : SETTLED_FRACTION * standardErrors[place]!;
    return Math.abs(values[term] - asked[term]) <= limit;
  });
}

function normalAt(evidence: readonly Evidence[], information: Matrix, values: TermValues): Normal {
  const score = evidence
    .map((one) => times(product(transpose(one.sensitivities), one.precision), momentsAt(one, values)))
    .reduce((sum, part) => sum.map((value, i) => value + part[i]!));
  return { values, information, score };
}

/**
 * Terms, in order, of which the evidence says something that no term before them could take: it narrows or contradicts
 * what was believed, though those before are free.
 */
function identifiableTerms(normal: Normal, priors: Priors, terms: readonly CalibrationTerm[]): CalibrationTerm[] {
  const found: CalibrationTerm[] = [];
  for (const term of terms) {
    const free = found.map((one) => [one, { ...priors[one], spread: UNDECIDED * priors[one].spread }]);
    const loose: Priors = { ...priors, ...Object.fromEntries(free) };
    const together = [...found, term];
    const precision = withPrior(
      selected(normal.information, together.map(indexOf)),
      together.map((one) => loose[one].spread ** -2),
    );
    const spread = Math.sqrt(inverse(precision)[found.length]![found.length]!);
    const { values, standardErrors } = solve(normal, loose, together);
    const distance = Math.abs(values[term] - priors[term].start) / standardErrors[found.length]!;
    if (spread < IDENTIFIABLE_FRACTION * priors[term].spread || distance > Z_95) found.push(term);
  }
  return found;
}

/** Terms that remain when the one nearest to its start is taken back until all left are clearly off theirs. */
function contradictedTerms(normal: Normal, priors: Priors, candidates: readonly CalibrationTerm[]): CalibrationTerm[] {
  let moved = [...candidates];
  for (;;) {
    const { values, standardErrors } = solve(normal, priors, moved);
    const distances = moved.map((term, i) => Math.abs(values[term] - priors[term].start) / standardErrors[i]!);
    const nearest = Math.min(...distances);
    if (moved.length === 0 || nearest > Z_95) return moved;
    moved = moved.filter((_, i) => distances[i] !== nearest);
  }
}

interface Solution {
  readonly values: TermValues;
  /** Parallel to the terms solved for. */
  readonly standardErrors: readonly number[];
}

/** The best values of some terms, the others at their start; a term at its bound stays there while the rest is solved. */
function solve(normal: Normal, priors: Priors, terms: readonly CalibrationTerm[]): Solution {
  const values: Record<CalibrationTerm, number> = { ...normal.values };
  for (const term of CALIBRATION_TERMS) if (!terms.includes(term)) values[term] = priors[term].start;
  // From what the evidence says alone: where it is sharp and far from the prior, the prior's tail gives way.
  let weights = terms.map((term) => (UNDECIDED * priors[term].spread) ** -2);
  for (let iteration = 0; iteration < PRIOR_ITERATIONS && terms.length > 0; iteration++) {
    solveWithin(normal, priors, terms, weights, values);
    weights = terms.map((term) => priorWeight(values[term], priors[term]));
  }
  const posterior = inverse(withPrior(selected(normal.information, terms.map(indexOf)), weights));
  return { values, standardErrors: terms.map((_, i) => Math.sqrt(posterior[i]![i]!)) };
}

/** One linear solution into `values`, bounds kept. */
function solveWithin(
  normal: Normal,
  priors: Priors,
  terms: readonly CalibrationTerm[],
  weights: readonly number[],
  values: Record<CalibrationTerm, number>,
): void {
  let free = [...terms];
  while (free.length > 0) {
    const indices = free.map(indexOf);
    const precision = withPrior(
      selected(normal.information, indices),
      free.map((term) => weights[terms.indexOf(term)]!),
    );
    // The score was taken at `normal.values`; what the terms held fixed have moved since then is taken off it.
    const fixed = CALIBRATION_TERMS.map((term) => (free.includes(term) ? 0 : values[term] - normal.values[term]));
    const shift = times(normal.information, fixed);
    const pull = free.map((term, i) => {
      const towardsStart = weights[terms.indexOf(term)]! * (priors[term].start - normal.values[term]);
      return normal.score[indices[i]!]! - shift[indices[i]!]! + towardsStart;
    });
    const steps = times(inverse(precision), pull);
    free.forEach((term, i) => {
      values[term] = Math.max(priors[term].min, normal.values[term] + steps[i]!);
    });
    const inside = free.filter((term) => values[term] > priors[term].min);
    if (inside.length === free.length) return;
    free = inside;
  }
}

/** 1/variance of a Student-t prior as seen from a value: far from the start it pulls less. */
function priorWeight(value: number, { start, spread }: TermPrior): number {
  const distance = (value - start) / spread;
  return Math.min(1, (PRIOR_DEGREES + 1) / (PRIOR_DEGREES + distance ** 2)) / spread ** 2;
}

function withPrior(information: Matrix, weights: readonly number[]): number[][] {
  return information.map((row, i) => row.map((value, j) => (i === j ? value + weights[i]! : value)));
}

function indexOf(term: CalibrationTerm): number {
  return CALIBRATION_TERMS.indexOf(term);
}

function estimateOf(
  term: CalibrationTerm,
  prior: TermPrior,
  values: TermValues,
  candidates: readonly CalibrationTerm[],
  moved: readonly CalibrationTerm[],
  all: Solution,
  final: Solution,
): TermEstimate {
  const identifiable = candidates.includes(term);
  const isMoved = moved.includes(term);
  const { fitted, standardError } = isMoved
    ? { fitted: values[term], standardError: final.standardErrors[moved.indexOf(term)]! }
    : identifiable
      ? { fitted: all.values[term], standardError: all.standardErrors[candidates.indexOf(term)]! }
      : { fitted: prior.start, standardError: prior.spread };
  return {
    value: values[term],
    fitted,
    standardError,
    low80: Math.max(prior.min, fitted - Z_80 * standardError),
    high80: fitted + Z_80 * standardError,
    start: prior.start,
    identifiable,
    status: isMoved ? "fitted" : identifiable ? "agrees" : "not identifiable",
  };
}
