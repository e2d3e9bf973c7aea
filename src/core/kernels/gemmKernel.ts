import { DTYPE_BYTES, type WeightDtype } from "../units/dtype.js";
import type { CompiledSurface } from "./efficiencySurface.js";
import type { RoofEfficiency } from "./gpuEfficiency.js";
import type { GpuRoofs } from "./gpuRoofs.js";

/** Bytes of one activation element: activations stay 16-bit whatever the weights are. */
export const ACTIVATION_BYTES = 2;

/** The three constants of a roof kernel; what a fit searches. */
export type RoofConstants = Pick<RoofEfficiency, "launchUs" | "memoryEfficiency" | "computeEfficiency">;

/** FLOP/µs a kernel with such weights can reach; int4 weights are multiplied in 16 bit. */
export function peakFlopsPerUs(roofs: GpuRoofs, dtype: WeightDtype): number {
  return dtype === "fp8" ? roofs.fp8FlopsPerUs : roofs.bf16FlopsPerUs;
}

/** Bytes a `[m,k] × [k,n]` product must move: activations in and out in 16 bit, weights once. */
export function gemmBytes(m: number, k: number, n: number, dtype: WeightDtype): number {
  return ACTIVATION_BYTES * m * (k + n) + DTYPE_BYTES[dtype] * k * n;
}

/** µs of a kernel with these bytes and FLOPs before shape corrections: launch plus the 2-norm of both roofs. */
export function roofBaseUs(
  fit: RoofConstants,
  bytesPerUs: number,
  flopsPerUs: number,
  bytes: number,
  flops: number,
): number {
  const memoryUs = bytes / (bytesPerUs * fit.memoryEfficiency);
  const computeUs = flops / (flopsPerUs * fit.computeEfficiency);
  return fit.launchUs + Math.sqrt(memoryUs * memoryUs + computeUs * computeUs);
}

/**
 * µs of one `[m,k] × [k,n]` product, its launch gap inside a CUDA graph included; never below datasheet limits.
 *
 * @param surface correction over (m, n, k), or null
 */
export function gemmUs(
  fit: RoofConstants,
  surface: CompiledSurface | null,
  roofs: GpuRoofs,
  m: number,
  k: number,
  n: number,
  dtype: WeightDtype,
): number {
  const bytes = gemmBytes(m, k, n, dtype);
  const flops = 2 * m * k * n;
  const peak = peakFlopsPerUs(roofs, dtype);
  const baseUs = roofBaseUs(fit, roofs.bytesPerUs, peak, bytes, flops);
  const us = surface === null ? baseUs : baseUs * surface.factor(m, n, k);
  return Math.max(us, bytes / roofs.bytesPerUs, flops / peak);
}
