import type { DecodeAttentionEfficiency, GpuEfficiency, MlaEfficiency, RoofEfficiency } from "./gpuEfficiency.js";

/**
 * The efficiencies of a GPU whose memory always delivers its datasheet bandwidth; launches, compute efficiencies and
 * shape corrections stay. What a model assumes that does not know achieved bandwidth: for ablation.
 */
export function atPeakBandwidth(efficiency: GpuEfficiency): GpuEfficiency {
  const { gemm, groupedGemm, decodeAttention, prefillAttention, elementwise, sampler, mla } = efficiency;
  return {
    ...efficiency,
    gemm: { bf16: peak(gemm.bf16), fp8: gemm.fp8 && peak(gemm.fp8), int4: gemm.int4 && peak(gemm.int4) },
    groupedGemm: {
      bf16: peak(groupedGemm.bf16),
      fp8: groupedGemm.fp8 && peak(groupedGemm.fp8),
      int4: groupedGemm.int4 && peak(groupedGemm.int4),
    },
    decodeAttention: {
      bf16: peakStream(decodeAttention.bf16),
      fp8: decodeAttention.fp8 && peakStream(decodeAttention.fp8),
    },
    prefillAttention: {
      bf16: { ...prefillAttention.bf16, memoryEfficiency: 1 },
      fp8: prefillAttention.fp8 && { ...prefillAttention.fp8, memoryEfficiency: 1 },
    },
    ...(mla && { mla: peakMla(mla) }),
    elementwise: { ...elementwise, memoryEfficiency: 1 },
    sampler: { ...sampler, memoryEfficiency: 1 },
  };
}

function peak(fit: RoofEfficiency): RoofEfficiency {
  return { ...fit, memoryEfficiency: 1 };
}

function peakMla({ decode: { bf16, fp8 }, prefill }: MlaEfficiency): MlaEfficiency {
  const ideal = { memoryEfficiency: 1, rampUs: 0 };
  return {
    decode: { bf16: { ...bf16, ...ideal }, fp8: fp8 && { ...fp8, ...ideal } },
    prefill: prefill && { ...prefill, memoryEfficiency: 1 },
  };
}

function peakStream(fit: DecodeAttentionEfficiency): DecodeAttentionEfficiency {
  return { ...fit, memoryEfficiency: 1, rampUs: 0 };
}
