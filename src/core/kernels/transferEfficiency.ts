import type { GpuSpec } from "../hardware/gpuSpec.js";
import type { KvDtype, WeightDtype } from "../units/dtype.js";
import { CompiledSurface } from "./efficiencySurface.js";
import { risingDecode, risingGemm, risingGroupedGemm } from "./fit/risingPrices.js";
import { bendToRise } from "./fit/surfaceFit.js";
import type {
  CollectiveEfficiency,
  DecodeAttentionEfficiency,
  GpuEfficiency,
  PrefillAttentionEfficiency,
  RoofEfficiency,
} from "./gpuEfficiency.js";
import { type GpuRoofs, gpuRoofs } from "./gpuRoofs.js";

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
  const memoryRatio = reference.bandwidthBytesPerS / target.memory.bandwidthBytesPerS;
  const computeRatio = reference.bf16FlopsPerS / target.compute.bf16FlopsPerS;
  const roof = (fit: RoofEfficiency): RoofEfficiency => ({
    ...fit,
    memoryEfficiency: fit.memoryEfficiency / slowdown,
    computeEfficiency: fit.computeEfficiency / slowdown,
  });
  const dense = (fit: RoofEfficiency, dtype: WeightDtype): RoofEfficiency => {
    const slowed = roof(fit);
    const rising = risingGemm(slowed, roofs, dtype);
    return { ...slowed, surface: slowed.surface && bendToRise(slowed.surface, rising) };
  };
  const grouped = (fit: RoofEfficiency, dtype: WeightDtype): RoofEfficiency => {
    const slowed = roof(fit);
    const rising = risingGroupedGemm(slowed, roofs, dtype);
    return { ...slowed, surface: slowed.surface && bendToRise(slowed.surface, rising) };
  };
  const hasFp8 = target.compute.fp8FlopsPerS !== null;
  const { gemm, groupedGemm, decodeAttention, prefillAttention } = source;
  const prefill = (fit: PrefillAttentionEfficiency) => scalePrefill(fit, memoryRatio, computeRatio, slowdown);
  return {
    ...source,
    gemm: {
      bf16: dense(gemm.bf16, "bf16"),
      fp8: hasFp8 && gemm.fp8 ? dense(gemm.fp8, "fp8") : null,
      int4: gemm.int4 && dense(gemm.int4, "int4"),
    },
    groupedGemm: {
      bf16: grouped(groupedGemm.bf16, "bf16"),
      fp8: hasFp8 && groupedGemm.fp8 ? grouped(groupedGemm.fp8, "fp8") : null,
      int4: groupedGemm.int4 && grouped(groupedGemm.int4, "int4"),
    },
    decodeAttention: {
      bf16: scaleDecode(decodeAttention.bf16, roofs, "bf16", slowdown),
      fp8: decodeAttention.fp8 && scaleDecode(decodeAttention.fp8, roofs, "fp8", slowdown),
    },
    prefillAttention: {
      bf16: prefill(prefillAttention.bf16),
      fp8: prefillAttention.fp8 && prefill(prefillAttention.fp8),
    },
    allReduce: source.allReduce.map((group) => scaleCollective(group, reference, target)),
    elementwise: {
      ...source.elementwise,
      memoryEfficiency: source.elementwise.memoryEfficiency / slowdown,
    },
    sampler: { ...source.sampler, sortPsPerLogit: source.sampler.sortPsPerLogit * memoryRatio * slowdown },
  };
}

function scaleDecode(
  fit: DecodeAttentionEfficiency,
  roofs: GpuRoofs,
  dtype: KvDtype,
  slowdown: number,
): DecodeAttentionEfficiency {
  const slowed = { ...fit, memoryEfficiency: fit.memoryEfficiency / slowdown };
  if (fit.groupSurface === null || fit.kvHeadSurface === null) return slowed;
  const groupSurface = bendToRise(fit.groupSurface, risingDecode(slowed, roofs, dtype));
  const byGroup = new CompiledSurface(groupSurface);
  const lnGroups = groupSurface.knots[2].map(Math.log);
  const kvHeadSurface = bendToRise(fit.kvHeadSurface, risingDecode(slowed, roofs, dtype, byGroup, lnGroups));
  return { ...slowed, groupSurface, kvHeadSurface };
}

/** The first value is reading queries and writing outputs, the increments are arithmetic. */
function scalePrefill(
  fit: PrefillAttentionEfficiency,
  memoryRatio: number,
  computeRatio: number,
  slowdown: number,
): PrefillAttentionEfficiency {
  const first = fit.headTokenPs[0]!;
  return {
    ...fit,
    memoryEfficiency: fit.memoryEfficiency / slowdown,
    kvHeadTokenPs: fit.kvHeadTokenPs * memoryRatio * slowdown,
    headTokenPs: fit.headTokenPs.map((ps) => (first * memoryRatio + (ps - first) * computeRatio) * slowdown),
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
