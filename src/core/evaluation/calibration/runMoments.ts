import type { MeasuredRun } from "../../metrics/measuredExperiment.js";
import type { RequestRecord } from "../../metrics/requestRecord.js";
import { interTokenMs, ttftMs } from "../../metrics/runMetrics.js";
import { US_PER_MS } from "../../units/units.js";
import { huberRegression, type RegressionRows } from "./huberRegression.js";
import type { RunSplit } from "./splitRun.js";

/** Residuals of a run in three numbers: TTFT (µs, at the mean prompt), TTFT per prompt token, time per output token. */
export const NUM_MOMENTS = 3;

/** What no moment is known better than: clocks and rounding. Same order and units as the moments. */
const RESOLUTIONS = [10, 0.02, 1] as const;
/** The variance of a moment that a run cannot show. */
const UNKNOWN_VARIANCE = 1e15;

export interface RunMoments {
  /** Measured − simulated; 0 where the run cannot show it. */
  readonly values: readonly number[];
  /** `[moment][moment]`: how far they would differ in another run of this length on the same server. */
  readonly covariance: readonly (readonly number[])[];
  /** Prompt tokens at which the TTFT residual is taken. */
  readonly meanPromptTokens: number;
}

/** Robust residuals of a replay over the training requests; outliers and stalls count little. */
export function runMoments(run: MeasuredRun, records: readonly RequestRecord[], split: RunSplit): RunMoments {
  const ttft = trainingRows(split, (i) => (run.measured[i]!.ttftMs - ttftMs(records[i]!)) * US_PER_MS);
  const prompts = Float64Array.from(ttft.indices, (i) => run.specs[i]!.numPromptTokens);
  const meanPromptTokens = prompts.reduce((sum, tokens) => sum + tokens, 0) / Math.max(1, prompts.length);
  const centred = prompts.map((tokens) => tokens - meanPromptTokens);
  const hasSlope = centred.some((tokens) => Math.abs(tokens) >= 1);
  const ones = new Float64Array(prompts.length).fill(1);
  const first = huberRegression({ ...ttft.rows, columns: hasSlope ? [ones, centred] : [ones] });
  const token = trainingRows(split, (i) => (run.measured[i]!.itlMs - interTokenMs(records[i]!)) * US_PER_MS);
  const hasTokens = token.indices.length > 1;
  const between = hasTokens
    ? huberRegression({ ...token.rows, columns: [new Float64Array(token.indices.length).fill(1)] })
    : null;
  const values = [first.coefficients[0]!, first.coefficients[1] ?? 0, between?.coefficients[0] ?? 0];
  const influences = first.influences.map(([ttftInfluence = 0, slopeInfluence = 0], block) => {
    const [tokenInfluence = 0] = between?.influences[block] ?? [];
    return [ttftInfluence, slopeInfluence, tokenInfluence];
  });
  return { values, covariance: covarianceOf(influences, [true, hasSlope, hasTokens]), meanPromptTokens };
}

/** The training requests with a value, in blocks. */
function trainingRows(
  { training }: RunSplit,
  value: (index: number) => number,
): { indices: number[]; rows: Omit<RegressionRows, "columns"> } {
  const indices: number[] = [];
  const y: number[] = [];
  const blocks: number[] = [];
  training.forEach((block, number) => {
    for (const i of block) {
      const us = value(i);
      if (Number.isNaN(us)) continue;
      indices.push(i);
      y.push(us);
      blocks.push(number);
    }
  });
  const rows = { y: Float64Array.from(y), blocks: Int32Array.from(blocks), numBlocks: training.length };
  return { indices, rows };
}

function covarianceOf(influences: readonly (readonly number[])[], isKnown: readonly boolean[]): number[][] {
  return RESOLUTIONS.map((resolution, i) =>
    RESOLUTIONS.map((_, j) => {
      const shared = influences.reduce((sum, influence) => sum + influence[i]! * influence[j]!, 0);
      if (i !== j) return shared;
      return isKnown[i] ? shared + resolution ** 2 : UNKNOWN_VARIANCE;
    }),
  );
}
