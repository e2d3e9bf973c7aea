import type { GpuSpec } from "../../src/core/hardware/gpuSpec.js";
import { type FamilyFit, fitFamily } from "../../src/core/kernels/fit/fitFamily.js";
import { fitMlaDecode, isMlaDecodeResident, mlaDecodePredictor } from "../../src/core/kernels/fit/fitMlaDecode.js";
import { fitPrefillAttention, prefillPredictor } from "../../src/core/kernels/fit/fitPrefillAttention.js";
import type {
  GpuEfficiency,
  KernelFitReport,
  MlaDecodeEfficiency,
  MlaEfficiency,
  PrefillAttentionEfficiency,
} from "../../src/core/kernels/gpuEfficiency.js";
import { gpuRoofs } from "../../src/core/kernels/gpuRoofs.js";
import { expandedHeadDim } from "../../src/core/kernels/mlaKernels.js";
import { type MlaTables, mlaDecodeKernelRows, mlaDecodeRows, mlaPrefillLaunchUs, mlaPrefillRows } from "./mlaRows.js";

/** Of the tables' layer: DeepSeek-V3's keys with their rotary part, and values. */
const HEAD_DIM = expandedHeadDim(128 + 64, 128);

const DECODE_SIZES = {
  counts: "requests",
  of: ({ dims }: { dims: readonly number[] }) => dims[0]!,
  bounds: [4, 32, 256],
};
const PREFILL_SIZES = {
  counts: "tokens",
  of: ({ dims }: { dims: readonly number[] }) => dims[1]!,
  bounds: [2048, 8192],
};

/** What ships is fitted to the tables, whatever was in force. */
const JUDGED_BY_HAND = { models: new Map<string, readonly string[]>(), keepsBetter: false };

export interface MlaFit {
  readonly mla: MlaEfficiency;
  readonly reports: readonly KernelFitReport[];
}

/** Fits latent attention of one GPU. @param efficiency what its other families were fitted to */
export async function fitMla(
  root: string,
  system: string,
  tables: MlaTables,
  gpu: GpuSpec,
  efficiency: GpuEfficiency,
): Promise<MlaFit> {
  const roofs = gpuRoofs(gpu);
  const reports: KernelFitReport[] = [];
  const fitDecode = async (dtype: "bf16" | "fp8"): Promise<MlaDecodeEfficiency | null> => {
    const { module, kernel } = tables;
    const measured =
      module === null
        ? await mlaDecodeKernelRows(root, system, kernel!, dtype, efficiency, roofs)
        : await mlaDecodeRows(root, system, module, dtype, efficiency, roofs);
    if (measured.rows.length === 0) return null;
    const launchUs = module === null ? efficiency.decodeAttention.bf16.launchUs : null;
    return fitted<MlaDecodeEfficiency | null>(reports, {
      family: "mla-decode",
      dtype,
      table: module === null ? `generation MLA vLLM ${kernel}` : `MLA generation module vLLM ${module}`,
      ...measured,
      former: null,
      isResident: (row) => isMlaDecodeResident(row, gpu.memory.l2Bytes, dtype),
      fit: (rows) => {
        const fit = fitMlaDecode(rows, roofs, gpu.memory.l2Bytes, dtype, launchUs);
        // Of kernel rows only long ones are left: a surface would be a guess where short decodes are.
        return module === null ? { ...fit, surface: null } : fit;
      },
      predictor: (fit) => (fit === null ? () => 0 : mlaDecodePredictor(fit, roofs, dtype)),
      sizes: DECODE_SIZES,
      ...JUDGED_BY_HAND,
    });
  };
  const bf16 = await fitDecode("bf16");
  const fp8 = await fitDecode("fp8");
  if (bf16 === null) throw new Error(`${gpu.id}: no rows of latent attention`);
  const prefill =
    tables.kernel === null ? null : await fitPrefill(root, system, tables, gpu, efficiency, bf16, reports);
  return { mla: { decode: { bf16, fp8 }, prefill }, reports };
}

async function fitPrefill(
  root: string,
  system: string,
  { module, kernel }: MlaTables,
  gpu: GpuSpec,
  efficiency: GpuEfficiency,
  { memoryEfficiency }: MlaDecodeEfficiency,
  reports: KernelFitReport[],
): Promise<PrefillAttentionEfficiency | null> {
  const roofs = gpuRoofs(gpu);
  const launchUs =
    module === null
      ? efficiency.prefillAttention.bf16.launchUs
      : await mlaPrefillLaunchUs(root, system, module, efficiency, roofs);
  const measured = await mlaPrefillRows(root, system, kernel!, efficiency, roofs);
  return fitted(reports, {
    family: "mla-prefill",
    dtype: "bf16",
    table: `context MLA vLLM ${kernel}`,
    ...measured,
    former: efficiency.prefillAttention.bf16,
    isResident: () => false,
    fit: (rows) => fitPrefillAttention(rows, roofs, "bf16", memoryEfficiency, { headDim: HEAD_DIM, launchUs }),
    predictor: (fit) => prefillPredictor(fit, roofs, "bf16", HEAD_DIM),
    sizes: PREFILL_SIZES,
    ...JUDGED_BY_HAND,
  });
}

/** The fit, its report kept; null where the rows do not suffice. */
function fitted<Fit>(reports: KernelFitReport[], family: FamilyFit<Fit>): Fit | null {
  const { fit, report, outcome } = fitFamily(family);
  if (report === null) {
    process.stderr.write(`${family.family} ${family.dtype}: not fitted: ${outcome.keptBecause}\n`);
    return null;
  }
  reports.push(report);
  return fit;
}
