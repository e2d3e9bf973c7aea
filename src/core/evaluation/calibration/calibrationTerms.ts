import type { ServerConstants } from "../../engine/createServer.js";
import { type ServerOverheads, serverOverheads } from "../../stepmodel/serverOverheads.js";
import { DEFAULT_WAITS } from "../../stepmodel/stepWaits.js";

/** The server's constants that a client's latencies can show. */
export const CALIBRATION_TERMS = [
  "frontEndUs",
  "frontEndUsPerPromptToken",
  "stepUs",
  "kernelGapUsPerLayer",
  "rankSkewUsPerDoubling",
] as const;
export type CalibrationTerm = (typeof CALIBRATION_TERMS)[number];

/** What each term is, for people. */
export const TERM_MEANINGS: Readonly<Record<CalibrationTerm, string>> = {
  frontEndUs: "front end, per request",
  frontEndUsPerPromptToken: "front end, per prompt token",
  stepUs: "CPU in the open, per step, beside the built-in",
  kernelGapUsPerLayer: "gaps between kernels, per layer",
  rankSkewUsPerDoubling: "rank skew, per collective and doubling",
};

/**
 * A value of every term, µs. `stepUs` is what a step takes in the open beside the built-in CPU time of a synchronous
 * server (so it may be negative), or at all on an asynchronous one, whose CPU hides behind the GPU; the others are
 * constants of the same name.
 */
export type TermValues = Readonly<Record<CalibrationTerm, number>>;

/**
 * Terms that one experiment is fitted with, those first that explain what several could. Time per step is the CPU's
 * where it is in the open, else it is lost between kernels, and then a model of more layers loses more. Rank skew needs
 * several models to be told from gaps.
 */
export function termsOfOneRun(isAsync: boolean): readonly CalibrationTerm[] {
  return isAsync
    ? ["frontEndUs", "kernelGapUsPerLayer", "frontEndUsPerPromptToken", "stepUs"]
    : ["frontEndUs", "stepUs", "frontEndUsPerPromptToken", "kernelGapUsPerLayer"];
}

/** Terms that several experiments are fitted with, in the same order. */
export function termsOfManyRuns(isAsync: boolean): readonly CalibrationTerm[] {
  return [...termsOfOneRun(isAsync), "rankSkewUsPerDoubling"];
}

/** What is believed of a term before a run is seen. */
export interface TermPrior {
  readonly start: number;
  /** Standard deviation between servers, µs. */
  readonly spread: number;
  readonly min: number;
}

/** Where a calibration starts from. */
export interface CalibrationStart {
  readonly name: "built-in" | "neutral";
  readonly priors: (isAsync: boolean) => Readonly<Record<CalibrationTerm, TermPrior>>;
  /** Whether a term that agrees with its start within its interval stays there. */
  readonly keepsStart: boolean;
  /** Overheads that are no terms, where not the built-in ones. */
  readonly overheads: Partial<ServerOverheads>;
}

/**
 * From the constants that roofserve ships. Spreads: front ends of different clients and servers were found 2 to 5 ms
 * apart; tokenisers differ by a factor of two; a synchronous engine core's CPU time was seen from 1.5 to 2.5 ms and is
 * known to depend on the CPU; what an asynchronous one leaves in the open, and gaps, were small wherever looked at.
 */
export const BUILT_IN_START: CalibrationStart = {
  name: "built-in",
  keepsStart: true,
  overheads: {},
  priors: (isAsync) => {
    const { frontEndUs, frontEndUsPerPromptToken, scheduleUs, updateUs } = serverOverheads(isAsync);
    return {
      frontEndUs: { start: frontEndUs, spread: 2000, min: 0 },
      stepUs: isAsync ? { start: 0, spread: 300, min: 0 } : { start: 0, spread: 1000, min: -(scheduleUs + updateUs) },
      frontEndUsPerPromptToken: { start: frontEndUsPerPromptToken, spread: 1, min: 0 },
      kernelGapUsPerLayer: { start: DEFAULT_WAITS.kernelGapUsPerLayer, spread: 5, min: 0 },
      rankSkewUsPerDoubling: { start: DEFAULT_WAITS.rankSkewUsPerDoubling, spread: 1, min: 0 },
    };
  },
};

/**
 * From nothing: no front end, no CPU time, no waits, and little belief in that. It shows what calibration learns by
 * itself, because the built-in constants were chosen while looking at the runs it is judged on.
 */
export const NEUTRAL_START: CalibrationStart = {
  name: "neutral",
  keepsStart: false,
  overheads: { outputUs: 0, outputUsPerToken: 0 },
  priors: (isAsync) => {
    const { scheduleUs, updateUs } = serverOverheads(isAsync);
    const noCpuUs = -(scheduleUs + updateUs);
    return {
      frontEndUs: { start: 0, spread: 10_000, min: 0 },
      stepUs: isAsync ? { start: 0, spread: 500, min: 0 } : { start: noCpuUs, spread: 3000, min: noCpuUs },
      frontEndUsPerPromptToken: { start: 0, spread: 2, min: 0 },
      kernelGapUsPerLayer: { start: 0, spread: 10, min: 0 },
      rankSkewUsPerDoubling: { start: 0, spread: 5, min: 0 },
    };
  },
};

/** The starting value of every term. */
export function startValues(start: CalibrationStart, isAsync: boolean): TermValues {
  const priors = start.priors(isAsync);
  return Object.fromEntries(CALIBRATION_TERMS.map((term) => [term, priors[term].start])) as Record<
    CalibrationTerm,
    number
  >;
}

/** The server's constants at given values of the terms; CPU time and waits never fall below 0. */
export function constantsOf(values: TermValues, isAsync: boolean, start = BUILT_IN_START): ServerConstants {
  const { scheduleUs, updateUs } = serverOverheads(isAsync);
  const { stepUs, kernelGapUsPerLayer, rankSkewUsPerDoubling, frontEndUsPerPromptToken } = values;
  const frontEnd = { ...start.overheads, frontEndUs: Math.round(values.frontEndUs), frontEndUsPerPromptToken };
  const waits = { kernelGapUsPerLayer, rankSkewUsPerDoubling, fixedUs: DEFAULT_WAITS.fixedUs };
  if (isAsync) return { overheads: frontEnd, waits: { ...waits, fixedUs: waits.fixedUs + stepUs } };
  const cpuUs = Math.round(stepUs + scheduleUs);
  const cpu = { scheduleUs: Math.max(0, cpuUs), updateUs: Math.max(0, updateUs + Math.min(0, cpuUs)) };
  return { overheads: { ...frontEnd, ...cpu }, waits };
}
