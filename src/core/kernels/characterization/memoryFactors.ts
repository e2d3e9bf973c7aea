import type { GpuEfficiency } from "../gpuEfficiency.js";
import type { AccessPattern } from "./characterization.js";

/** The factor on datasheet bandwidth that one kind of kernel is priced with, before shape corrections. */
export interface MemoryFactor {
  readonly kernels: string;
  readonly dtype: string;
  /** The access pattern whose measurement changes it. */
  readonly pattern: AccessPattern;
  readonly fraction: number;
}

/** Every factor on memory bandwidth in a GPU's efficiencies; the same list for every GPU with the same dtypes. */
export function memoryFactors(efficiency: GpuEfficiency): MemoryFactor[] {
  const { gemm, groupedGemm, decodeAttention, prefillAttention, elementwise } = efficiency;
  return [
    ...factorsOf("matrix products", "sequential", gemm),
    ...factorsOf("experts", "sequential", groupedGemm),
    { kernels: "small kernels", dtype: "bf16", pattern: "sequential", fraction: elementwise.memoryEfficiency },
    ...factorsOf("decode attention", "scattered", decodeAttention),
    ...factorsOf("prefill attention", "mixed", prefillAttention),
  ];
}

function factorsOf(
  kernels: string,
  pattern: AccessPattern,
  fits: Readonly<Record<string, { readonly memoryEfficiency: number } | null>>,
): MemoryFactor[] {
  return Object.entries(fits).flatMap(([dtype, fit]) =>
    fit === null ? [] : [{ kernels, dtype, pattern, fraction: fit.memoryEfficiency }],
  );
}
