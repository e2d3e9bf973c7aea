import type { KvDtype } from "../units/dtype.js";
import type { CompiledSurface } from "./efficiencySurface.js";
import type { DecodeAttentionEfficiency } from "./gpuEfficiency.js";
import type { GpuRoofs } from "./gpuRoofs.js";

/** Head size the fits were made at; other sizes are read at as many KV bytes. */
export const REFERENCE_HEAD_DIM = 128;

/** The constants of decode attention; what a fit searches. */
export type DecodeAttentionConstants = Pick<
  DecodeAttentionEfficiency,
  "launchUs" | "waveUs" | "rampUs" | "memoryEfficiency"
>;

/** Bytes of one KV element. */
export function kvElementBytes(dtype: KvDtype): number {
  return dtype === "fp8" ? 1 : 2;
}

/** KV bytes of `tokens` tokens: keys and values. */
export function kvBytes(tokens: number, numKvHeads: number, headDim: number, dtype: KvDtype): number {
  return 2 * kvElementBytes(dtype) * tokens * numKvHeads * headDim;
}

/**
 * µs of decode attention before shape corrections: launch plus the 2-norm of the work distribution
 * (requests × KV heads over the SMs) and the KV stream. Query heads hardly matter, so they do not enter.
 */
export function decodeAttentionBaseUs(
  fit: DecodeAttentionConstants,
  roofs: GpuRoofs,
  numKvRows: number,
  kvReadBytes: number,
): number {
  const waveUs = (fit.waveUs * numKvRows) / roofs.numSms;
  const streamUs = kvReadBytes / (roofs.bytesPerUs * fit.memoryEfficiency);
  // Saturating: short streams run at half the bandwidth, long ones only lose rampUs.
  const memoryUs = streamUs + (fit.rampUs * streamUs) / (fit.rampUs + streamUs + Number.MIN_VALUE);
  return fit.launchUs + Math.sqrt(waveUs * waveUs + memoryUs * memoryUs);
}

/**
 * µs of one decode attention launch, KV write included; allocation-free, priced every step.
 *
 * @param surface correction over (requests × KV heads, mean context, query heads per KV head), or null. The price rises with
 *   the requests at equal mean context, and with the context; at equal SUM of contexts more requests can be faster,
 *   as they are on the GPU (few long rows leave SMs idle)
 * @param sumContextTokens Σ KV tokens read, sliding window applied
 */
export function decodeAttentionUs(
  fit: DecodeAttentionConstants,
  surface: CompiledSurface | null,
  roofs: GpuRoofs,
  numRequests: number,
  sumContextTokens: number,
  numHeads: number,
  numKvHeads: number,
  headDim: number,
  dtype: KvDtype,
): number {
  if (numRequests === 0) return 0;
  const numKvRows = numRequests * numKvHeads;
  const readBytes = kvBytes(sumContextTokens, numKvHeads, headDim, dtype);
  const baseUs = decodeAttentionBaseUs(fit, roofs, numKvRows, readBytes);
  if (surface === null) return Math.max(baseUs, readBytes / roofs.bytesPerUs);
  const meanContext = (sumContextTokens / numRequests) * (headDim / REFERENCE_HEAD_DIM);
  return Math.max(baseUs * surface.factor(numKvRows, meanContext, numHeads / numKvHeads), readBytes / roofs.bytesPerUs);
}
