import type { KvDtype } from "../../units/dtype.js";
import { REFERENCE_HEAD_DIM } from "../decodeAttentionKernel.js";
import type { PrefillAttentionEfficiency } from "../gpuEfficiency.js";
import type { GpuRoofs } from "../gpuRoofs.js";
import { PrefillAttentionCost } from "../prefillAttentionKernel.js";
import { fitLogParameters } from "./levenbergMarquardt.js";
import type { MeasuredRow } from "./measuredRow.js";

const HEAD_DIM = REFERENCE_HEAD_DIM;
/** More KV heads than any model has: numbers heads of a query and of a key apart. */
const MAX_KV_HEADS = 4096;
const POSITIONS = [64, 256, 512, 1024, 2048, 4096, 8192, 16384];

/** What a fit of other prefill attention than that of the tables of heads knows. */
export interface PrefillFitOptions {
  readonly headDim: number;
  /** µs of one launch, where the rows cannot tell. */
  readonly launchUs: number;
}

/** Positive search variables → a valid fit: increments make the cost per token non-decreasing. */
function fitOf(
  [launchUs, waveUs, tile, kvHead, ...increments]: readonly number[],
  memoryEfficiency: number,
  digits = 12,
): PrefillAttentionEfficiency {
  const rounded = (value: number): number => Number(value.toPrecision(digits));
  let sum = 0;
  return {
    launchUs: rounded(launchUs!),
    waveUs: rounded(waveUs!),
    memoryEfficiency,
    tileLatencyFraction: rounded(tile!),
    kvHeadTokenPs: rounded(kvHead!),
    contextTokens: [...POSITIONS],
    headTokenPs: increments.map((increment) => {
      sum += increment;
      return rounded(sum);
    }),
  };
}

/**
 * Rows are (batch, new tokens, heads, KV heads, cached tokens; 0 where absent). Streaming efficiency cannot be told from
 * rows without cached tokens, so decode's is used.
 */
export function fitPrefillAttention(
  rows: readonly MeasuredRow[],
  roofs: GpuRoofs,
  dtype: KvDtype,
  decodeMemoryEfficiency: number,
  given: PrefillFitOptions | null = null,
): PrefillAttentionEfficiency {
  const headDim = given?.headDim ?? HEAD_DIM;
  const withLaunch = (parameters: readonly number[]) => (given === null ? parameters : [given.launchUs, ...parameters]);
  const peakPsPerToken = (4 * HEAD_DIM * 1e6) / roofs.bf16FlopsPerUs;
  const increments = POSITIONS.map((position, i) => {
    const before = i === 0 ? 0 : POSITIONS[i - 1]!;
    return ((position - before) * peakPsPerToken) / 0.6 + (i === 0 ? 300 : 0);
  });
  // The search asks for all rows of one set of parameters in turn: what they share is made once.
  let known: readonly number[] = [];
  let predictUs: (row: MeasuredRow) => number = () => Number.NaN;
  const found = fitLogParameters(
    [...(given === null ? [10] : []), 3.5, 0.5, 200, ...increments],
    Float64Array.from(rows, (row) => row.us),
    new Float64Array(rows.length).fill(1),
    (parameters, i) => {
      if (parameters !== known) {
        known = parameters;
        predictUs = prefillPredictor(fitOf(withLaunch(parameters), decodeMemoryEfficiency), roofs, dtype, headDim);
      }
      return predictUs(rows[i]!);
    },
    { maxIterations: 25, huberLn: 0.15 },
  );
  return fitOf(withLaunch(found), decodeMemoryEfficiency, 5);
}

/** A predictor for rows (batch, new tokens, heads, KV heads, cached tokens). */
export function prefillPredictor(
  fit: PrefillAttentionEfficiency,
  roofs: GpuRoofs,
  dtype: KvDtype,
  headDim = HEAD_DIM,
): (row: MeasuredRow) => number {
  const costs = new Map<number, PrefillAttentionCost>();
  return (row) => {
    const [batch, newTokens, numHeads, numKvHeads, contextTokens = 0] = row.dims as [
      number,
      number,
      number,
      number,
      number?,
    ];
    const key = numHeads * MAX_KV_HEADS + numKvHeads;
    let cost = costs.get(key);
    if (cost === undefined) {
      cost = new PrefillAttentionCost(fit, roofs, {
        numHeads,
        numKvHeads,
        headDim,
        kvDtype: dtype,
        slidingWindow: 0,
      });
      costs.set(key, cost);
    }
    cost.reset();
    for (let i = 0; i < batch; i += 1) cost.add(newTokens, contextTokens);
    return cost.us();
  };
}
