import type { GpuSpec } from "../../src/core/hardware/gpuSpec.js";
import type { GpuEfficiency, KernelFitReport, RoofEfficiency } from "../../src/core/kernels/gpuEfficiency.js";
import { gpuRoofs } from "../../src/core/kernels/gpuRoofs.js";
import { fitAllReduce } from "./fitAllReduce.js";
import { decodePredictor, fitDecodeAttention, isDecodeResident } from "./fitDecodeAttention.js";
import { fitGemm, gemmPredictor, isGemmResident } from "./fitGemm.js";
import { fitGroupedGemm, groupedGemmPredictor, isGroupedGemmResident } from "./fitGroupedGemm.js";
import { fitPrefillAttention, prefillPredictor } from "./fitPrefillAttention.js";
import { type FamilyFit, reportFit, type SizeBucket } from "./fitReport.js";
import type { GpuFitPlan } from "./gpuFitPlan.js";
import { attentionRows, customAllReduceRows, gemmRows, groupedGemmRows, ncclAllReduceRows } from "./measuredRows.js";

const SOURCE =
  "fitted to NVIDIA aiconfigurator's vLLM operator tables (github.com/ai-dynamo/aiconfigurator, systems/data, Apache-2.0); " +
  "sorting of logits from micro-benchmarks in vLLM pull requests 33538, 32558, 11394; sampling and small kernels assumed";

/** Not in the operator tables: sorting was measured elsewhere and scales with bandwidth, the rest is assumed. */
const SAMPLER_US = 80;
const SORT_LAUNCH_US = 100;
const H100_SORT_PS_PER_LOGIT = 150;
const H100_BYTES_PER_S = 3.35e12;
const SMALL_KERNEL_US = 2;
const SMALL_KERNEL_MEMORY_EFFICIENCY = 0.85;

/** Dense int4 kernels have no data: bf16's constants at this share of its efficiency, no surface. */
const INT4_MEMORY_SHARE = 0.8;
const INT4_COMPUTE_SHARE = 0.75;

/** Fits every family of one GPU. Deterministic. */
export async function fitGpu(root: string, plan: GpuFitPlan, gpu: GpuSpec): Promise<GpuEfficiency> {
  const reports: KernelFitReport[] = [];
  const gemm = await fitGemms(root, plan, gpu, reports);
  const groupedGemm = await fitGroupedGemms(root, plan, gpu, reports);
  const { decodeAttention, prefillAttention } = await fitAttention(root, plan, gpu, reports);
  const allReduce = fitAllReduce(
    (await customAllReduceRows(root, plan.system, plan.allReduce.custom)).rows,
    (await ncclAllReduceRows(root, plan.system, plan.allReduce.nccl)).rows,
  );
  return {
    schema: "roofserve.gpuEfficiency/1",
    gpu: plan.gpu,
    source: SOURCE,
    reference: {
      bandwidthBytesPerS: gpu.memory.bandwidthBytesPerS,
      bf16FlopsPerS: gpu.compute.bf16FlopsPerS,
      fp8FlopsPerS: gpu.compute.fp8FlopsPerS,
      numSms: gpu.compute.numSms,
      l2Bytes: gpu.memory.l2Bytes,
      interconnectBytesPerS: gpu.interconnect.bandwidthBytesPerS,
      interconnectKind: gpu.interconnect.kind,
    },
    gemm,
    groupedGemm,
    decodeAttention,
    prefillAttention,
    allReduce,
    elementwise: { launchUs: SMALL_KERNEL_US, memoryEfficiency: SMALL_KERNEL_MEMORY_EFFICIENCY },
    sampler: {
      launchUs: SAMPLER_US,
      memoryEfficiency: SMALL_KERNEL_MEMORY_EFFICIENCY,
      sortLaunchUs: SORT_LAUNCH_US,
      sortPsPerLogit: Number(((H100_SORT_PS_PER_LOGIT * H100_BYTES_PER_S) / gpu.memory.bandwidthBytesPerS).toFixed(1)),
    },
    fits: reports,
  };
}

async function fitGemms(
  root: string,
  plan: GpuFitPlan,
  gpu: GpuSpec,
  reports: KernelFitReport[],
): Promise<GpuEfficiency["gemm"]> {
  const roofs = gpuRoofs(gpu);
  const fits: Partial<Record<"bf16" | "fp8", RoofEfficiency>> = {};
  for (const dtype of ["bf16", "fp8"] as const) {
    const version = plan.gemm[dtype];
    if (version === undefined) continue;
    const { rows, numTableRows } = await gemmRows(root, plan.system, version, dtype);
    const family: FamilyFit<RoofEfficiency> = {
      family: "gemm",
      dtype,
      table: `gemm vLLM ${version}`,
      rows,
      numTableRows,
      isResident: (row) => isGemmResident(row, roofs, gpu.memory.l2Bytes, dtype),
      fit: (some) => fitGemm(some, roofs, gpu.memory.l2Bytes, dtype),
      predictor: (fit) => gemmPredictor(fit, roofs, dtype),
      bucketOf: (row) => bucket("m", row.dims[0]!, [1, 16, 64, 256, 1024]),
      isModelShape: ({ dims }) => Math.min(dims[1]!, dims[2]!) >= 1024 && Math.max(dims[1]!, dims[2]!) <= 32768,
    };
    fits[dtype] = reportFit(family, reports);
  }
  return { bf16: fits.bf16!, fp8: fits.fp8 ?? null, int4: weightOnly(fits.bf16!) };
}

async function fitGroupedGemms(
  root: string,
  plan: GpuFitPlan,
  gpu: GpuSpec,
  reports: KernelFitReport[],
): Promise<GpuEfficiency["groupedGemm"]> {
  const roofs = gpuRoofs(gpu);
  const fits: Partial<Record<"bf16" | "fp8" | "int4", RoofEfficiency>> = {};
  for (const dtype of ["bf16", "fp8", "int4"] as const) {
    const version = plan.groupedGemm[dtype];
    if (version === undefined) continue;
    const { rows, numTableRows } = await groupedGemmRows(root, plan.system, version, dtype);
    const l2Bytes = gpu.memory.l2Bytes;
    fits[dtype] = reportFit(
      {
        family: "grouped-gemm",
        dtype,
        table: `moe vLLM ${version}`,
        rows,
        numTableRows,
        isResident: (row) => isGroupedGemmResident(row, roofs, l2Bytes, dtype),
        fit: (some) => fitGroupedGemm(some, roofs, l2Bytes, dtype),
        predictor: (fit) => groupedGemmPredictor(fit, roofs, dtype),
        bucketOf: (row) => bucket("tokens", row.dims[0]!, [4, 64, 256, 1024, 4096]),
      },
      reports,
    );
  }
  return { bf16: fits.bf16!, fp8: fits.fp8 ?? null, int4: fits.int4 ?? weightOnly(fits.bf16!) };
}

async function fitAttention(
  root: string,
  plan: GpuFitPlan,
  gpu: GpuSpec,
  reports: KernelFitReport[],
): Promise<Pick<GpuEfficiency, "decodeAttention" | "prefillAttention">> {
  const roofs = gpuRoofs(gpu);
  const fitDtype = async (dtype: "bf16" | "fp8") => {
    const version = plan.attention[dtype];
    if (version === undefined) return null;
    const decodeRows = await attentionRows(root, plan.system, version, "generation", dtype);
    const decode = reportFit(
      {
        family: "attention-decode",
        dtype,
        table: `generation attention vLLM ${version}`,
        ...decodeRows,
        isResident: (row) => isDecodeResident(row, gpu.memory.l2Bytes, dtype),
        fit: (some) => fitDecodeAttention(some, roofs, gpu.memory.l2Bytes, dtype),
        predictor: (fit) => decodePredictor(fit, roofs, dtype),
        bucketOf: (row) => bucket("requests × KV heads", row.dims[0]! * row.dims[3]!, [8, 32, 128, 512, 2048]),
      },
      reports,
    );
    const prefillRows = await attentionRows(root, plan.system, version, "context", dtype);
    const prefill = reportFit(
      {
        family: "attention-prefill",
        dtype,
        table: `context attention vLLM ${version}`,
        ...prefillRows,
        isResident: () => false,
        fit: (some) => fitPrefillAttention(some, roofs, dtype, decode.memoryEfficiency),
        predictor: (fit) => prefillPredictor(fit, roofs, dtype),
        bucketOf: (row) => bucket("tokens", row.dims[1]!, [1, 64, 512, 2048, 8192]),
      },
      reports,
    );
    return { decode, prefill };
  };
  const bf16 = (await fitDtype("bf16"))!;
  const fp8 = await fitDtype("fp8");
  return {
    decodeAttention: { bf16: bf16.decode, fp8: fp8?.decode ?? null },
    prefillAttention: { bf16: bf16.prefill, fp8: fp8?.prefill ?? null },
  };
}

function weightOnly(bf16: RoofEfficiency): RoofEfficiency {
  return {
    launchUs: bf16.launchUs,
    memoryEfficiency: Number((bf16.memoryEfficiency * INT4_MEMORY_SHARE).toFixed(4)),
    computeEfficiency: Number((bf16.computeEfficiency * INT4_COMPUTE_SHARE).toFixed(4)),
    surface: null,
  };
}

/** The bucket a size falls into: up to each bound, or above the last. */
function bucket(name: string, size: number, bounds: readonly number[]): SizeBucket {
  const upTo = bounds.find((bound) => size <= bound) ?? null;
  return { bucket: upTo === null ? `${name} > ${bounds[bounds.length - 1]}` : `${name} ≤ ${upTo}`, upTo };
}
