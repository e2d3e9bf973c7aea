import { gemmActivationBytes, gemmFlops, gemmWeightBytes } from "../model/gemmOperator.js";
import type { WeightDtype } from "../units/dtype.js";
import type { CompiledSurface } from "./efficiencySurface.js";
import type { RoofEfficiency } from "./gpuEfficiency.js";
import type { GpuRoofs } from "./gpuRoofs.js";

/** The three constants of a roof kernel; what a fit searches. */
export type RoofConstants = Pick<RoofEfficiency, "launchUs" | "memoryEfficiency" | "computeEfficiency">;

/** FLOP/µs a kernel with such weights can reach; int4 weights are multiplied in 16 bit. */
export function peakFlopsPerUs(roofs: GpuRoofs, dtype: WeightDtype): number {
  return dtype === "fp8" ? roofs.fp8FlopsPerUs : roofs.bf16FlopsPerUs;
}

/** Bytes a `[m,k] × [k,n]` product must move. */
export function gemmBytes(m: number, k: number, n: number, dtype: WeightDtype): number {
  return gemmActivationBytes(m, k, n) + gemmWeightBytes(k, n, dtype);
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
 * µs of `numMatrices` 16-bit products in one launch, by the constants of a single product without its shape corrections:
 * against NVIDIA's `mla_bmm` tables that errs by 15 % on average (`eval/kernels`).
 */
export function batchedGemmUs(
  fit: RoofConstants,
  roofs: GpuRoofs,
  {
    numMatrices,
    m,
    k,
    n,
  }: { readonly numMatrices: number; readonly m: number; readonly k: number; readonly n: number },
): number {
  const bytes = numMatrices * gemmBytes(m, k, n, "bf16");
  const flops = numMatrices * gemmFlops(m, k, n);
  return roofBaseUs(fit, roofs.bytesPerUs, roofs.bf16FlopsPerUs, bytes, flops);
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
  const flops = gemmFlops(m, k, n);
  const peak = peakFlopsPerUs(roofs, dtype);
  const baseUs = roofBaseUs(fit, roofs.bytesPerUs, peak, bytes, flops);
  const us = surface === null ? baseUs : baseUs * surface.factor(m, n, k);
  return Math.max(us, bytes / roofs.bytesPerUs, flops / peak);
}
