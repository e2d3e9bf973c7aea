import { gemmFlops } from "../../model/gemmOperator.js";
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
import { type MlaDecodeConstants, mlaDecodeBaseUs, REFERENCE_LATENT } from "../mlaDecodeKernel.js";
import type { LnBase, RisingPrice } from "./surfaceFit.js";

/** Extremes of (hidden size, experts per token) among served models. */
const EXPERT_EXTREMES = [
  [1024, 1],
  [1024, 8],
  [8192, 1],
  [8192, 8],
] as const;

/** What must rise in a GEMM's price, over the axes (m, n, k). */
export function risingGemm(fit: RoofConstants, roofs: GpuRoofs, dtype: WeightDtype): RisingPrice {
  const dims = [1, 1e6] as const;
  return { lnBases: [gemmLnBase(fit, roofs, dtype)], risingAxes: [0, 1, 2], ranges: [dims, dims, dims] };
}

/** What must rise in the experts' price, over the axes (tokens per local expert, local experts, intermediate size). */
export function risingGroupedGemm(fit: RoofConstants, roofs: GpuRoofs, dtype: WeightDtype): RisingPrice {
  return {
    lnBases: groupedGemmLnBases(fit, roofs, dtype),
    risingAxes: [0, 2],
    ranges: [
      [1e-3, 1e6],
      [1, 1024],
      [16, 1e5],
    ],
  };
}

/**
 * What must rise in decode attention's price, over the axes (requests × KV heads, context, any).
 *
 * @param surface one that is already on top of the base, read at each of `lnThirds`
 */
export function risingDecode(
  fit: DecodeAttentionConstants,
  roofs: GpuRoofs,
  dtype: KvDtype,
  surface: CompiledSurface | null = null,
  lnThirds: readonly number[] = [0],
): RisingPrice {
  return {
    lnBases: lnThirds.map((lnThird) => decodeLnBase(fit, roofs, dtype, surface, lnThird)),
    risingAxes: [0, 1],
    ranges: [
      [1, 1e6],
      [1, 1e7],
      [1, 256],
    ],
  };
}

/** What must rise in the price of attention over latents, over the axes (requests, context, heads). */
export function risingMlaDecode(fit: MlaDecodeConstants, roofs: GpuRoofs, dtype: KvDtype): RisingPrice {
  const lnBase: LnBase = (lnRequests, lnContext, lnHeads) => {
    const numRequests = Math.exp(lnRequests);
    const heads = { ...REFERENCE_LATENT, numHeads: Math.exp(lnHeads), kvDtype: dtype };
    return Math.log(mlaDecodeBaseUs(fit, roofs, heads, numRequests, numRequests * Math.exp(lnContext)));
  };
  return {
    lnBases: [lnBase],
    risingAxes: [0, 1, 2],
    ranges: [
      [1, 1e6],
      [1, 1e7],
      [1, 1024],
    ],
  };
}

function gemmLnBase(fit: RoofConstants, roofs: GpuRoofs, dtype: WeightDtype): LnBase {
  const peak = peakFlopsPerUs(roofs, dtype);
  return (lnM, lnN, lnK) => {
    const [m, n, k] = [Math.exp(lnM), Math.exp(lnN), Math.exp(lnK)];
    return Math.log(roofBaseUs(fit, roofs.bytesPerUs, peak, gemmBytes(m, k, n, dtype), gemmFlops(m, k, n)));
  };
}

function groupedGemmLnBases(fit: RoofConstants, roofs: GpuRoofs, dtype: WeightDtype): LnBase[] {
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

function decodeLnBase(
  fit: DecodeAttentionConstants,
  roofs: GpuRoofs,
  dtype: KvDtype,
  surface: CompiledSurface | null,
  lnThird: number,
): LnBase {
  const bytesPerRowToken = kvBytes(1, 1, REFERENCE_HEAD_DIM, dtype);
  return (lnRows, lnContext) => {
    const base = decodeAttentionBaseUs(fit, roofs, Math.exp(lnRows), Math.exp(lnRows + lnContext) * bytesPerRowToken);
    return Math.log(base) + (surface === null ? 0 : surface.lnFactor(lnRows, lnContext, lnThird));
  };
}
