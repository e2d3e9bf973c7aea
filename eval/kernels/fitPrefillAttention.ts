import { fitLogParameters } from "../../src/core/kernels/fit/levenbergMarquardt.js";
import type { PrefillAttentionEfficiency } from "../../src/core/kernels/gpuEfficiency.js";
import type { GpuRoofs } from "../../src/core/kernels/gpuRoofs.js";
import { PrefillAttentionCost } from "../../src/core/kernels/prefillAttentionKernel.js";
import type { KvDtype } from "../../src/core/units/dtype.js";
import type { MeasuredRow } from "./fitRows.js";

const HEAD_DIM = 128;
const POSITIONS = [64, 256, 512, 1024, 2048, 4096, 8192, 16384];

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
 * Rows are (batch, new tokens, heads, KV heads), nothing cached before them. Streaming efficiency cannot be told
 * from such rows, so decode's is used.
 */
export function fitPrefillAttention(
  rows: readonly MeasuredRow[],
  roofs: GpuRoofs,
  dtype: KvDtype,
  decodeMemoryEfficiency: number,
): PrefillAttentionEfficiency {
  const peakPsPerToken = (4 * HEAD_DIM * 1e6) / roofs.bf16FlopsPerUs;
  const increments = POSITIONS.map((position, i) => {
    const before = i === 0 ? 0 : POSITIONS[i - 1]!;
    return ((position - before) * peakPsPerToken) / 0.6 + (i === 0 ? 300 : 0);
  });
  const found = fitLogParameters(
    [10, 3.5, 0.5, 200, ...increments],
    Float64Array.from(rows, (row) => row.us),
    new Float64Array(rows.length).fill(1),
    (parameters, i) => prefillPredictor(fitOf(parameters, decodeMemoryEfficiency), roofs, dtype)(rows[i]!),
    { maxIterations: 25, huberLn: 0.15 },
  );
  return fitOf(found, decodeMemoryEfficiency, 5);
}

/** A predictor for rows (batch, new tokens, heads, KV heads). */
export function prefillPredictor(
  fit: PrefillAttentionEfficiency,
  roofs: GpuRoofs,
  dtype: KvDtype,
): (row: MeasuredRow) => number {
  return (row) => {
    const [batch, newTokens, numHeads, numKvHeads] = row.dims as [number, number, number, number];
    const heads = { numHeads, numKvHeads, headDim: HEAD_DIM, kvDtype: dtype, slidingWindow: 0 };
    const cost = new PrefillAttentionCost(fit, roofs, heads);
    for (let i = 0; i < batch; i += 1) cost.add(newTokens, 0);
    return cost.us();
  };
}
