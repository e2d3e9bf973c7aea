import type { KvDtype, WeightDtype } from "../units/dtype.js";
import { CompiledSurface } from "./efficiencySurface.js";
import { risingDecode, risingGemm, risingGroupedGemm, risingMlaDecode } from "./fit/risingPrices.js";
import { bendToRise, type RisingPrice } from "./fit/surfaceFit.js";
import type {
  DecodeAttentionEfficiency,
  GpuEfficiency,
  MlaDecodeEfficiency,
  MlaEfficiency,
  PrefillAttentionEfficiency,
  RoofEfficiency,
} from "./gpuEfficiency.js";
import type { GpuRoofs } from "./gpuRoofs.js";

/** How kernels change; 1 = not at all. */
export interface EfficiencyScales {
  /** How many times longer moving bytes takes, as a share of the datasheet's bandwidth: > 0. */
  readonly memorySlowdown: number;
  /** The same of arithmetic, as a share of the datasheet's FLOP/s. */
  readonly computeSlowdown: number;
  /** Old over new datasheet bandwidth: what times that are stored as such, not as fractions, change by. */
  readonly memoryTimeRatio: number;
  /** Old over new datasheet FLOP/s. */
  readonly computeTimeRatio: number;
}

/**
 * Kernels whose bytes are weights and activations, where memory and arithmetic reach other shares of the datasheet
 * (`roofs`), or the datasheet itself is another. As in all of this file: launch and wave times stay, no fraction exceeds
 * 1, and surfaces are bent so that prices keep rising with every dimension on the new base.
 */
export function rescaleLinear(
  { gemm, groupedGemm, elementwise, sampler }: GpuEfficiency,
  roofs: GpuRoofs,
  scales: EfficiencyScales,
): Pick<GpuEfficiency, "gemm" | "groupedGemm" | "elementwise" | "sampler"> {
  const products = ({ bf16, fp8, int4 }: GpuEfficiency["gemm"], rising: typeof risingGemm) => {
    const scale = (fit: RoofEfficiency, dtype: WeightDtype) =>
      scaleProduct(fit, scales, (scaled) => rising(scaled, roofs, dtype));
    return { bf16: scale(bf16, "bf16"), fp8: fp8 && scale(fp8, "fp8"), int4: int4 && scale(int4, "int4") };
  };
  return {
    gemm: products(gemm, risingGemm),
    groupedGemm: products(groupedGemm, risingGroupedGemm),
    elementwise: {
      ...elementwise,
      memoryEfficiency: slowedFraction(elementwise.memoryEfficiency, scales.memorySlowdown),
    },
    sampler: { ...sampler, sortPsPerLogit: sampler.sortPsPerLogit * scales.memoryTimeRatio * scales.memorySlowdown },
  };
}

/** Decode attention; its work is reading KV, so its arithmetic does not enter. */
export function rescaleDecodeAttention(
  { decodeAttention: { bf16, fp8 } }: GpuEfficiency,
  roofs: GpuRoofs,
  { memorySlowdown }: Pick<EfficiencyScales, "memorySlowdown">,
): GpuEfficiency["decodeAttention"] {
  return {
    bf16: scaleDecode(bf16, roofs, "bf16", memorySlowdown),
    fp8: fp8 && scaleDecode(fp8, roofs, "fp8", memorySlowdown),
  };
}

/** Prefill attention: KV streaming, KV writes and query reads are its memory side. */
export function rescalePrefillAttention(
  { prefillAttention: { bf16, fp8 } }: GpuEfficiency,
  scales: EfficiencyScales,
): GpuEfficiency["prefillAttention"] {
  return { bf16: scalePrefill(bf16, scales), fp8: fp8 && scalePrefill(fp8, scales) };
}

/** Latent attention: decode and prefill change as the other attention does, decode with its arithmetic. */
export function rescaleMla(
  { decode: { bf16, fp8 }, prefill }: MlaEfficiency,
  roofs: GpuRoofs,
  scales: { readonly decode: EfficiencyScales; readonly prefill: EfficiencyScales },
): MlaEfficiency {
  return {
    decode: {
      bf16: scaleMlaDecode(bf16, roofs, "bf16", scales.decode),
      fp8: fp8 && scaleMlaDecode(fp8, roofs, "fp8", scales.decode),
    },
    prefill: prefill && scalePrefill(prefill, scales.prefill),
  };
}

/** A fraction of a datasheet rate after a slowdown; nothing reaches more than all of it. */
function slowedFraction(fraction: number, slowdown: number): number {
  return Math.min(1, fraction / slowdown);
}

function scaleProduct(
  fit: RoofEfficiency,
  scales: EfficiencyScales,
  rising: (fit: RoofEfficiency) => RisingPrice,
): RoofEfficiency {
  const scaled: RoofEfficiency = {
    ...fit,
    memoryEfficiency: slowedFraction(fit.memoryEfficiency, scales.memorySlowdown),
    computeEfficiency: slowedFraction(fit.computeEfficiency, scales.computeSlowdown),
  };
  return { ...scaled, surface: scaled.surface && bendToRise(scaled.surface, rising(scaled)) };
}

function scaleDecode(
  fit: DecodeAttentionEfficiency,
  roofs: GpuRoofs,
  dtype: KvDtype,
  memorySlowdown: number,
): DecodeAttentionEfficiency {
  const scaled = { ...fit, memoryEfficiency: slowedFraction(fit.memoryEfficiency, memorySlowdown) };
  if (fit.groupSurface === null || fit.kvHeadSurface === null) return scaled;
  const groupSurface = bendToRise(fit.groupSurface, risingDecode(scaled, roofs, dtype));
  const byGroup = new CompiledSurface(groupSurface);
  const lnGroups = groupSurface.knots[2].map(Math.log);
  const kvHeadSurface = bendToRise(fit.kvHeadSurface, risingDecode(scaled, roofs, dtype, byGroup, lnGroups));
  return { ...scaled, groupSurface, kvHeadSurface };
}

function scaleMlaDecode(
  fit: MlaDecodeEfficiency,
  roofs: GpuRoofs,
  dtype: KvDtype,
  scales: EfficiencyScales,
): MlaDecodeEfficiency {
  const scaled = {
    ...fit,
    queryHeadPs: fit.queryHeadPs * scales.memoryTimeRatio * scales.memorySlowdown,
    memoryEfficiency: slowedFraction(fit.memoryEfficiency, scales.memorySlowdown),
    computeEfficiency: slowedFraction(fit.computeEfficiency, scales.computeSlowdown),
    rowTokenPs: fit.rowTokenPs * scales.memoryTimeRatio * scales.memorySlowdown,
  };
  return { ...scaled, surface: scaled.surface && bendToRise(scaled.surface, risingMlaDecode(scaled, roofs, dtype)) };
}

/** The first value is reading queries and writing outputs, the increments are arithmetic. */
function scalePrefill(fit: PrefillAttentionEfficiency, scales: EfficiencyScales): PrefillAttentionEfficiency {
  const memoryRatio = scales.memoryTimeRatio * scales.memorySlowdown;
  const computeRatio = scales.computeTimeRatio * scales.computeSlowdown;
  const first = fit.headTokenPs[0]!;
  return {
    ...fit,
    memoryEfficiency: slowedFraction(fit.memoryEfficiency, scales.memorySlowdown),
    kvHeadTokenPs: fit.kvHeadTokenPs * memoryRatio,
    headTokenPs: fit.headTokenPs.map((ps) => first * memoryRatio + (ps - first) * computeRatio),
  };
}
