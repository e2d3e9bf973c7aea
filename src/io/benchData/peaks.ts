import type { GpuSpec } from "../../core/hardware/gpuSpec.js";

/** A peak that an MFU may have been divided by, with every GPU and dtype it belongs to. */
export interface KnownPeak {
  readonly flopsPerS: number;
  readonly owners: readonly { readonly gpuId: string; readonly dtype: "bf16" | "fp8" }[];
}

/** Datasheets round differently (989, 989.4, 989.5): peaks this close count as one. */
export const PEAK_TOLERANCE = 1.5e-3;

/** The dense peaks of all GPUs, each value once, ascending. */
export function knownPeaks(gpus: readonly GpuSpec[]): KnownPeak[] {
  const all = gpus
    .flatMap(({ id, compute }) => [
      { gpuId: id, dtype: "bf16" as const, flopsPerS: compute.bf16FlopsPerS },
      { gpuId: id, dtype: "fp8" as const, flopsPerS: compute.fp8FlopsPerS ?? 0 },
    ])
    .filter(({ flopsPerS }) => flopsPerS > 0)
    .sort((a, b) => a.flopsPerS - b.flopsPerS);
  const groups: { flopsPerS: number; owners: { gpuId: string; dtype: "bf16" | "fp8" }[] }[] = [];
  for (const { gpuId, dtype, flopsPerS } of all) {
    const last = groups.at(-1);
    if (last !== undefined && flopsPerS <= last.flopsPerS * (1 + PEAK_TOLERANCE)) last.owners.push({ gpuId, dtype });
    else groups.push({ flopsPerS, owners: [{ gpuId, dtype }] });
  }
  return groups;
}

/** `H20 bf16 (148 TFLOP/s)`; the wanted GPU's name where it shares the peak. */
export function peakLabel({ flopsPerS, owners }: KnownPeak, preferredGpuId: string | null): string {
  const owner = owners.find(({ gpuId }) => gpuId === preferredGpuId) ?? owners[0]!;
  return `${owner.gpuId} ${owner.dtype} (${formatTflops(flopsPerS)})`;
}

export function formatTflops(flopsPerS: number): string {
  return `${Number((flopsPerS / 1e12).toPrecision(4))} TFLOP/s`;
}
