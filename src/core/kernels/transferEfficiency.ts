import type { GpuSpec } from "../hardware/gpuSpec.js";
import type { CollectiveEfficiency, GpuEfficiency } from "./gpuEfficiency.js";
import { gpuRoofs } from "./gpuRoofs.js";
import { rescaleDecodeAttention, rescaleLinear, rescaleMla, rescalePrefillAttention } from "./rescaleEfficiency.js";

/**
 * Carries efficiencies over to a GPU without data: what was achieved of each datasheet rate, divided by `slowdown`.
 * Launch and wave times stay; bandwidth-, compute- and link-bound parts follow the datasheet ratios.
 *
 * Between fitted GPUs step times err by 3 to 15 % on average, 22 % at worst (`eval/transfer` prints it). From H100 pure
 * datasheet ratios err on the fast side: H100 efficiencies made A100 22 % and L40S 12 % too fast in a study of published runs,
 * and one measured factor per GPU (1.20, 1.08) brought both to 4.4 %. `slowdown` is that factor; see
 * `transferSource` for defaults.
 *
 * @param slowdown ≥ 1; how much slower than the ratios promise the target is taken to be
 */
export function transferEfficiency(source: GpuEfficiency, target: GpuSpec, slowdown = 1): GpuEfficiency {
  const { reference } = source;
  const roofs = gpuRoofs(target);
  const scales = {
    memorySlowdown: slowdown,
    computeSlowdown: slowdown,
    memoryTimeRatio: reference.bandwidthBytesPerS / target.memory.bandwidthBytesPerS,
    computeTimeRatio: reference.bf16FlopsPerS / target.compute.bf16FlopsPerS,
  };
  const linear = rescaleLinear(source, roofs, scales);
  const hasFp8 = target.compute.fp8FlopsPerS !== null;
  return {
    ...source,
    ...linear,
    gemm: hasFp8 ? linear.gemm : { ...linear.gemm, fp8: null },
    groupedGemm: hasFp8 ? linear.groupedGemm : { ...linear.groupedGemm, fp8: null },
    decodeAttention: rescaleDecodeAttention(source, roofs, scales),
    prefillAttention: rescalePrefillAttention(source, scales),
    ...(source.mla && { mla: rescaleMla(source.mla, roofs, { decode: scales, prefill: scales }) }),
    allReduce: source.allReduce.map((group) => scaleCollective(group, reference, target)),
  };
}

/** Latency of an all-reduce over PCIe relative to NVLink, as L40S to H100: 1.25 for 2 ranks, 2.1-fold per doubling. */
const PCIE_LATENCY_AT_TWO = 1.25;
const PCIE_LATENCY_PER_DOUBLING = 2.1;

function scaleCollective(
  group: CollectiveEfficiency,
  reference: GpuEfficiency["reference"],
  target: GpuSpec,
): CollectiveEfficiency {
  const linkRatio = reference.interconnectBytesPerS / target.interconnect.bandwidthBytesPerS;
  const leavesNvlink = reference.interconnectKind === "nvlink" && target.interconnect.kind === "pcie";
  const latencyRatio = leavesNvlink
    ? PCIE_LATENCY_AT_TWO * PCIE_LATENCY_PER_DOUBLING ** (Math.log2(group.numRanks) - 1)
    : 1;
  const latencyUs = group.us[0]!;
  return { ...group, us: group.us.map((us) => latencyUs * latencyRatio + (us - latencyUs) * linkRatio) };
}

/** Where a GPU without its own fit takes its efficiencies from. */
export interface TransferSource {
  /** Id of a GPU with a fit. */
  readonly gpu: string;
  readonly slowdown: number;
}

/** Relatives by id; slowdowns are guesses between the measured cross-generation factors and 1. */
const RELATIVES: Readonly<Record<string, TransferSource>> = {
  "h100-pcie": { gpu: "H100", slowdown: 1.05 },
  h800: { gpu: "H100", slowdown: 1 },
  h20: { gpu: "H100", slowdown: 1.05 },
  "a100-40": { gpu: "A100-80", slowdown: 1 },
  l4: { gpu: "L40S", slowdown: 1.05 },
  a10g: { gpu: "L40S", slowdown: 1.08 },
  rtx4090: { gpu: "L40S", slowdown: 1.05 },
  gb200: { gpu: "B200", slowdown: 1 },
};
const UNKNOWN_GPU_SLOWDOWN = 1.08;

/** The nearest relative with a fit; for an unknown GPU by link and fp8 support. */
export function transferSource(gpu: GpuSpec): TransferSource {
  const known = RELATIVES[gpu.id.toLowerCase()];
  if (known !== undefined) return known;
  if (gpu.interconnect.kind === "pcie") return { gpu: "L40S", slowdown: UNKNOWN_GPU_SLOWDOWN };
  return { gpu: gpu.compute.fp8FlopsPerS === null ? "A100-80" : "H100", slowdown: UNKNOWN_GPU_SLOWDOWN };
}

/**
 * How much slower than the datasheet ratios promise a GPU is taken to be when it borrows from exactly this one: what is
 * known of the pair; nothing where both are one chip with different memory, as H100 and H200; else as of an unknown GPU.
 */
export function transferSlowdown(
  { gpu, reference }: Pick<GpuEfficiency, "gpu" | "reference">,
  target: GpuSpec,
): number {
  const known = RELATIVES[target.id.toLowerCase()];
  if (known !== undefined && known.gpu === gpu) return known.slowdown;
  const { numSms, bf16FlopsPerS, fp8FlopsPerS } = target.compute;
  const isSameChip =
    reference.numSms === numSms && reference.bf16FlopsPerS === bf16FlopsPerS && reference.fp8FlopsPerS === fp8FlopsPerS;
  return isSameChip ? 1 : UNKNOWN_GPU_SLOWDOWN;
}
