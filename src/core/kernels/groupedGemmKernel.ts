import { DTYPE_BYTES, type WeightDtype } from "../units/dtype.js";
import type { CompiledSurface } from "./efficiencySurface.js";
import { ACTIVATION_BYTES, peakFlopsPerUs, type RoofConstants, roofBaseUs } from "./gemmKernel.js";
import type { GpuRoofs } from "./gpuRoofs.js";

/** Shape of the fused experts on one GPU. */
export interface GroupedGemmShape {
  readonly numTokens: number;
  readonly numExperts: number;
  /** Experts whose weights live on this GPU. */
  readonly numLocalExperts: number;
  readonly topK: number;
  readonly hiddenSize: number;
  /** Of one expert on this GPU. */
  readonly intermediateSize: number;
}

/** Experts of this GPU that at least one of `numTokens` tokens picks, when routing is uniform and independent. */
export function touchedExperts(shape: GroupedGemmShape): number {
  const missed = Math.max(0, 1 - shape.topK / shape.numExperts) ** shape.numTokens;
  return shape.numLocalExperts * (1 - missed);
}

/** Weights (gate, up, down) of the touched experts and 16-bit activations of the tokens that stay on this GPU. */
export function groupedGemmBytes(shape: GroupedGemmShape, numTouched: number, dtype: WeightDtype): number {
  const weightBytes = 3 * shape.hiddenSize * shape.intermediateSize * DTYPE_BYTES[dtype] * numTouched;
  const rows = localRows(shape);
  return weightBytes + ACTIVATION_BYTES * rows * (2 * shape.hiddenSize + 3 * shape.intermediateSize);
}

export function groupedGemmFlops(shape: GroupedGemmShape): number {
  return 6 * localRows(shape) * shape.hiddenSize * shape.intermediateSize;
}

/** (token, expert) pairs this GPU computes. */
function localRows(shape: GroupedGemmShape): number {
  return (shape.numTokens * shape.topK * shape.numLocalExperts) / shape.numExperts;
}

/**
 * µs of the fused experts of one layer (routing sort, gate-up, activation, down, reduction); balanced routing.
 *
 * @param surface correction over (tokens, local experts, intermediate size), or null
 * @param numTouched experts whose weights are read, ≤ numLocalExperts
 */
export function groupedGemmUs(
  fit: RoofConstants,
  surface: CompiledSurface | null,
  roofs: GpuRoofs,
  shape: GroupedGemmShape,
  numTouched: number,
  dtype: WeightDtype,
): number {
  const bytes = groupedGemmBytes(shape, numTouched, dtype);
  const flops = groupedGemmFlops(shape);
  const peak = peakFlopsPerUs(roofs, dtype);
  const baseUs = roofBaseUs(fit, roofs.bytesPerUs, peak, bytes, flops);
  const us =
    surface === null
      ? baseUs
      : baseUs *
        surface.factor(localRows(shape) / shape.numLocalExperts, shape.numLocalExperts, shape.intermediateSize);
  return Math.max(us, bytes / roofs.bytesPerUs, flops / peak);
}
