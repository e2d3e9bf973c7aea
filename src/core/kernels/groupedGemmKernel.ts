import { ACTIVATION_BYTES } from "../model/gemmOperator.js";
import { expertPairFlops, expertWeightBytes, touchedExpertFraction } from "../model/moeOperators.js";
import type { WeightDtype } from "../units/dtype.js";
import type { CompiledSurface } from "./efficiencySurface.js";
import { peakFlopsPerUs, type RoofConstants, roofBaseUs } from "./gemmKernel.js";
import type { GpuRoofs } from "./gpuRoofs.js";

/** Gate, up and down: no fused kernel was measured for plain MLPs. */
const MLP_MATRICES = 3;

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
  return shape.numLocalExperts * touchedExpertFraction(shape.numExperts, shape.topK, shape.numTokens);
}

/**
 * What the kernel moves: weights of the touched experts, and the activations of its (token, expert) pairs, those it
 * parks between gate-up and down included (so more than the operator's least bytes).
 */
export function groupedGemmBytes(shape: GroupedGemmShape, numTouched: number, dtype: WeightDtype): number {
  const { hiddenSize, intermediateSize } = shape;
  const weightBytes = numTouched * expertWeightBytes(hiddenSize, intermediateSize, MLP_MATRICES, dtype);
  return weightBytes + ACTIVATION_BYTES * localRows(shape) * (2 * hiddenSize + 3 * intermediateSize);
}

export function groupedGemmFlops(shape: GroupedGemmShape): number {
  return localRows(shape) * expertPairFlops(shape.hiddenSize, shape.intermediateSize, MLP_MATRICES);
}

/** Largest |ln| by which the shape lies beyond the surface's knots; 0 inside. */
export function groupedGemmLnDistance(surface: CompiledSurface, shape: GroupedGemmShape): number {
  return surface.lnDistance(rowsPerExpert(shape), shape.numLocalExperts, shape.intermediateSize);
}

/** Pairs an expert of this GPU computes when routing is balanced: the first axis of the surface. */
function rowsPerExpert(shape: GroupedGemmShape): number {
  return localRows(shape) / shape.numLocalExperts;
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
      : baseUs * surface.factor(rowsPerExpert(shape), shape.numLocalExperts, shape.intermediateSize);
  return Math.max(us, bytes / roofs.bytesPerUs, flops / peak);
}
