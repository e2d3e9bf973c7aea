import { CompiledSurface } from "../efficiencySurface.js";
import type { GpuEfficiency } from "../gpuEfficiency.js";
import type { AccessPattern } from "./characterization.js";

/** One row times a fused matrix of Llama-3.1-8B or 70B, (k, n): far larger than any L2, bound by memory alone. */
const STREAMED_MATRICES = [
  [4096, 28672],
  [8192, 57344],
  [28672, 8192],
] as const;
/** Decode batches, (requests, context), of 1 GB or more of KV. */
const STREAMED_BATCHES = [
  [32, 8192],
  [128, 4096],
  [64, 32768],
] as const;
/** Heads of those batches: Llama-3.1-8B's. */
const STREAMED_KV_HEADS = 8;
const STREAMED_GROUP = 4;

/**
 * Fractions of datasheet bandwidth, (0, 1], that 16-bit kernels reach while they stream more than caches hold, launches
 * not counted: dense products read weights sequentially, decode attention reads KV blocks scattered, prefill attention
 * reads both. A fitted constant times its shape corrections, averaged over large shapes: neither alone means anything.
 */
export function achievedFractions(efficiency: GpuEfficiency): Readonly<Record<AccessPattern, number>> {
  const gemm = efficiency.gemm.bf16;
  const decode = efficiency.decodeAttention.bf16;
  const lnProducts = STREAMED_MATRICES.map(([k, n]) =>
    gemm.surface === null ? 0 : Math.log(new CompiledSurface(gemm.surface).factor(1, n, k)),
  );
  const byGroup = decode.groupSurface && new CompiledSurface(decode.groupSurface);
  const byKvHeads = decode.kvHeadSurface && new CompiledSurface(decode.kvHeadSurface);
  const lnDecodes = STREAMED_BATCHES.map(([requests, context]) => {
    if (byGroup === null || byKvHeads === null) return 0;
    const kvRows = requests * STREAMED_KV_HEADS;
    return Math.log(
      byGroup.factor(kvRows, context, STREAMED_GROUP) * byKvHeads.factor(kvRows, context, STREAMED_KV_HEADS),
    );
  });
  return {
    sequential: reached(gemm.memoryEfficiency, lnProducts),
    scattered: reached(decode.memoryEfficiency, lnDecodes),
    mixed: efficiency.prefillAttention.bf16.memoryEfficiency,
  };
}

/** A fitted fraction with the mean of its corrections (ln factors on the time) on it. */
function reached(memoryEfficiency: number, lnFactors: readonly number[]): number {
  const meanLn = lnFactors.reduce((sum, ln) => sum + ln, 0) / lnFactors.length;
  return Math.min(1, memoryEfficiency / Math.exp(meanLn));
}
