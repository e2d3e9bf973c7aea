import type { KvDtype, WeightDtype } from "../../units/dtype.js";
import {
  type DecodeAttentionConstants,
  decodeAttentionBaseUs,
  kvBytes,
  REFERENCE_HEAD_DIM,
} from "../decodeAttentionKernel.js";
import type { CompiledSurface } from "../efficiencySurface.js";
import { gemmBytes, peakFlopsPerUs, type RoofConstants, roofBaseUs } from "../gemmKernel.js";
import type { GpuRoofs } from "../gpuRoofs.js";
import { groupedGemmBytes, groupedGemmFlops, touchedExperts } from "../groupedGemmKernel.js";
import type { LnBase } from "./surfaceFit.js";

/** Least and most work per expert row among served models: (hidden size, experts per token). */
const EXPERT_EXTREMES = [
  [1024, 1],
  [7168, 8],
] as const;

/** Axes (m, n, k). */
export function gemmLnBase(fit: RoofConstants, roofs: GpuRoofs, dtype: WeightDtype): LnBase {
  const peak = peakFlopsPerUs(roofs, dtype);
  return (lnM, lnN, lnK) => {
    const [m, n, k] = [Math.exp(lnM), Math.exp(lnN), Math.exp(lnK)];
    return Math.log(roofBaseUs(fit, roofs.bytesPerUs, peak, gemmBytes(m, k, n, dtype), 2 * m * k * n));
  };
}

/** Axes (tokens per local expert, local experts, intermediate size); one base per extreme of the other dims. */
export function groupedGemmLnBases(fit: RoofConstants, roofs: GpuRoofs, dtype: WeightDtype): LnBase[] {
  const peak = peakFlopsPerUs(roofs, dtype);
  return EXPERT_EXTREMES.map(([hiddenSize, topK]) => (lnTokens, lnExperts, lnIntermediate) => {
    const numExperts = Math.exp(lnExperts);
    const shape = {
      numTokens: (Math.exp(lnTokens) * numExperts) / topK,
      numExperts,
      numLocalExperts: numExperts,
      topK,
      hiddenSize,
      intermediateSize: Math.exp(lnIntermediate),
    };
    const bytes = groupedGemmBytes(shape, touchedExperts(shape), dtype);
    return Math.log(roofBaseUs(fit, roofs.bytesPerUs, peak, bytes, groupedGemmFlops(shape)));
  });
}

/** Axes (requests × KV heads, context, any); `surface` is one already on top, read at `lnThird`. */
export function decodeLnBase(
  fit: DecodeAttentionConstants,
  roofs: GpuRoofs,
  dtype: KvDtype,
  surface: CompiledSurface | null = null,
  lnThird = 0,
): LnBase {
  const bytesPerRowToken = kvBytes(1, 1, REFERENCE_HEAD_DIM, dtype);
  return (lnRows, lnContext) => {
    const base = decodeAttentionBaseUs(fit, roofs, Math.exp(lnRows), Math.exp(lnRows + lnContext) * bytesPerRowToken);
    return Math.log(base) + (surface === null ? 0 : surface.lnFactor(lnRows, lnContext, lnThird));
  };
}
