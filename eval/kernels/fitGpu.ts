import type { GpuSpec } from "../../src/core/hardware/gpuSpec.js";
import { type EfficiencyFit, fitEfficiency } from "../../src/core/kernels/fit/fitEfficiency.js";
import type { MeasuredFamily, MeasuredKernels } from "../../src/core/kernels/fit/measuredKernels.js";
import type { GpuEfficiency } from "../../src/core/kernels/gpuEfficiency.js";
import { fitAllReduce } from "./fitAllReduce.js";
import { fitMla } from "./fitMla.js";
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

/**
 * Fits every family of one GPU. Deterministic.
 * @param former what families without a table keep: the GPU's last fit, or a relative's
 */
export async function fitGpu(
  root: string,
  plan: GpuFitPlan,
  gpu: GpuSpec,
  former: GpuEfficiency,
): Promise<EfficiencyFit> {
  const measured: MeasuredKernels = {
    gemm: await byDtype(plan.gemm, "gemm", (version, dtype) => gemmRows(root, plan.system, version, dtype)),
    groupedGemm: await byDtype(plan.groupedGemm, "moe", (version, dtype) =>
      groupedGemmRows(root, plan.system, version, dtype),
    ),
    decodeAttention: await byDtype(plan.attention, "generation attention", (version, dtype) =>
      attentionRows(root, plan.system, version, "generation", dtype),
    ),
    prefillAttention: await byDtype(plan.attention, "context attention", (version, dtype) =>
      attentionRows(root, plan.system, version, "context", dtype),
    ),
  };
  // The benchmark comes back to the same few copies of its inputs.
  const method = { cacheBytes: gpu.memory.l2Bytes, expertRouting: "dealt" } as const;
  // What ships is what the tables say, also where the last fit, which has seen them all, does no worse on half of them.
  const options = { former, source: SOURCE, method, keepsBetter: false };
  const { efficiency, outcomes, unmeasured } = fitEfficiency(gpu, measured, options);
  const allReduce = fitAllReduce(
    (await customAllReduceRows(root, plan.system, plan.allReduce)).rows,
    (await ncclAllReduceRows(root, plan.system, plan.ncclVersion)).rows,
  );
  const elementwise = { launchUs: SMALL_KERNEL_US, memoryEfficiency: SMALL_KERNEL_MEMORY_EFFICIENCY };
  const sampler = {
    launchUs: SAMPLER_US,
    memoryEfficiency: SMALL_KERNEL_MEMORY_EFFICIENCY,
    sortLaunchUs: SORT_LAUNCH_US,
    sortPsPerLogit: Number(((H100_SORT_PS_PER_LOGIT * H100_BYTES_PER_S) / gpu.memory.bandwidthBytesPerS).toFixed(1)),
  };
  const { mla: _former, ...heads } = efficiency;
  const complete = { ...heads, allReduce, elementwise, sampler };
  if (plan.mla === null) return { efficiency: complete, outcomes, unmeasured };
  const { mla, reports } = await fitMla(root, plan.system, plan.mla, gpu, complete);
  const fits = [...complete.fits.filter(({ family }) => !family.startsWith("mla-")), ...reports];
  return { efficiency: { ...complete, mla, fits }, outcomes, unmeasured };
}

async function byDtype<Dtype extends string>(
  versions: Readonly<Partial<Record<Dtype, string>>>,
  name: string,
  read: (version: string, dtype: Dtype) => Promise<Omit<MeasuredFamily, "table">>,
): Promise<Partial<Record<Dtype, MeasuredFamily>>> {
  const families: Partial<Record<Dtype, MeasuredFamily>> = {};
  for (const [dtype, version] of Object.entries(versions) as [Dtype, string][]) {
    families[dtype] = { table: `${name} vLLM ${version}`, ...(await read(version, dtype)) };
  }
  return families;
}
