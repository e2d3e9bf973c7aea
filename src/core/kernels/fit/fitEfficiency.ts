import type { GpuSpec } from "../../hardware/gpuSpec.js";
import type {
  DecodeAttentionEfficiency,
  GpuEfficiency,
  KernelFitReport,
  PrefillAttentionEfficiency,
  RoofEfficiency,
} from "../gpuEfficiency.js";
import { type GpuRoofs, gpuRoofs } from "../gpuRoofs.js";
import { decodePredictor, fitDecodeAttention, isDecodeResident } from "./fitDecodeAttention.js";
import { type FamilyFit, type FamilyOutcome, fitFamily, type SizeClasses } from "./fitFamily.js";
import { fitGemm, gemmPredictor, isGemmResident } from "./fitGemm.js";
import { type ExpertRouting, fitGroupedGemm, groupedGemmPredictor, isGroupedGemmResident } from "./fitGroupedGemm.js";
import { fitPrefillAttention, prefillPredictor } from "./fitPrefillAttention.js";
import type { FittedKvDtype, FittedWeightDtype, MeasuredFamily, MeasuredKernels } from "./measuredKernels.js";
import type { FittedFamily, ModelsByShape } from "./shapeErrors.js";

/** How a benchmark fed its kernels: what its rows say of memory, and of experts. */
export interface BenchmarkMethod {
  /** L2 bytes that inputs may still lie in when they are read again; 0 where they went past the cache. */
  readonly cacheBytes: number;
  readonly expertRouting: ExpertRouting;
}

export interface EfficiencyFitOptions {
  /** What is in force on this GPU: errors are compared with it, and families without rows enough keep it. */
  readonly former: GpuEfficiency;
  /** The measurements, in words. */
  readonly source: string;
  readonly method: BenchmarkMethod;
  /** Whether a family keeps what is in force where a fit is no better; default true. */
  readonly keepsBetter?: boolean;
  /** Shapes that built-in models have, by the names that rows have; default none. */
  readonly models?: Readonly<Record<FittedFamily, ModelsByShape>>;
  /** Called before each family is fitted. */
  readonly onFamily?: (family: string, number: number, of: number) => void;
}

/** Efficiencies, and what became of each family that has rows. */
export interface EfficiencyFit {
  readonly efficiency: GpuEfficiency;
  readonly outcomes: readonly FamilyOutcome[];
  /** Families and element types without a measured row: they keep what they had. */
  readonly unmeasured: readonly UnmeasuredFamily[];
}

export interface UnmeasuredFamily {
  readonly family: FittedFamily;
  readonly dtype: string;
}

const GEMM_SIZES: SizeClasses = { counts: "m", of: ({ dims }) => dims[0]!, bounds: [1, 16, 64, 256, 1024] };
const EXPERT_SIZES: SizeClasses = { counts: "tokens", of: ({ dims }) => dims[0]!, bounds: [4, 64, 256, 1024, 4096] };
const DECODE_SIZES: SizeClasses = {
  counts: "requests × KV heads",
  of: ({ dims }) => dims[0]! * dims[3]!,
  bounds: [8, 32, 128, 512, 2048],
};
const PREFILL_SIZES: SizeClasses = { counts: "tokens", of: ({ dims }) => dims[1]!, bounds: [1, 64, 512, 2048, 8192] };

/** Dense int4 kernels have no data: bf16's constants at this share of its efficiency, no surface. */
const INT4_MEMORY_SHARE = 0.8;
const INT4_COMPUTE_SHARE = 0.75;

/**
 * Fits a GPU's efficiencies to measured kernels, family by family and for each element type apart. What the measurements
 * do not cover stays as it was: families without rows, collectives, small kernels, the sampler. Deterministic.
 */
export function fitEfficiency(gpu: GpuSpec, measured: MeasuredKernels, options: EfficiencyFitOptions): EfficiencyFit {
  const fitter = new EfficiencyFitter(gpu, measured, options);
  const { former, source } = options;
  const gemm = fitter.gemm();
  const groupedGemm = fitter.groupedGemm();
  const bf16 = fitter.attention("bf16");
  const fp8 = fitter.attention("fp8");
  const efficiency: GpuEfficiency = {
    ...former,
    gpu: gpu.id,
    source,
    reference: referenceOf(gpu),
    gemm,
    groupedGemm,
    decodeAttention: { bf16: bf16.decode!, fp8: fp8.decode },
    prefillAttention: { bf16: bf16.prefill!, fp8: fp8.prefill },
    fits: [...fitter.reports, ...former.fits.filter(({ family }) => family.startsWith("mla-"))],
  };
  return { efficiency, outcomes: fitter.outcomes, unmeasured: fitter.unmeasured };
}

/** Goes through the families in the order in which their reports are written. */
class EfficiencyFitter {
  readonly reports: KernelFitReport[] = [];
  readonly outcomes: FamilyOutcome[] = [];
  readonly unmeasured: UnmeasuredFamily[] = [];
  readonly #roofs: GpuRoofs;
  readonly #measured: MeasuredKernels;
  readonly #options: EfficiencyFitOptions;
  readonly #numFamilies: number;

  constructor(gpu: GpuSpec, measured: MeasuredKernels, options: EfficiencyFitOptions) {
    this.#roofs = gpuRoofs(gpu);
    this.#measured = measured;
    this.#options = options;
    this.#numFamilies = Object.values(measured).reduce((sum, byDtype) => sum + Object.keys(byDtype).length, 0);
  }

  gemm(): GpuEfficiency["gemm"] {
    const roofs = this.#roofs;
    const { former, method } = this.#options;
    const { cacheBytes } = method;
    const fitDtype = (dtype: FittedWeightDtype) =>
      this.#fit("gemm", dtype, this.#measured.gemm[dtype], former.gemm[dtype], {
        former: former.gemm[dtype] ?? bare(former.gemm.bf16),
        isResident: (row) => isGemmResident(row, roofs, cacheBytes, dtype),
        fit: (rows) => fitGemm(rows, roofs, cacheBytes, dtype),
        predictor: (fit) => gemmPredictor(fit, roofs, dtype),
        sizes: GEMM_SIZES,
        isModelShape: ({ dims }) => Math.min(dims[1]!, dims[2]!) >= 1024 && Math.max(dims[1]!, dims[2]!) <= 32768,
      });
    return withWeightOnly(fitDtype("bf16")!, fitDtype("fp8"), fitDtype("int4"));
  }

  groupedGemm(): GpuEfficiency["groupedGemm"] {
    const roofs = this.#roofs;
    const { former, method } = this.#options;
    const { cacheBytes, expertRouting } = method;
    const fitDtype = (dtype: FittedWeightDtype) =>
      this.#fit("grouped-gemm", dtype, this.#measured.groupedGemm[dtype], former.groupedGemm[dtype], {
        former: former.groupedGemm[dtype] ?? bare(former.groupedGemm.bf16),
        isResident: (row) => isGroupedGemmResident(row, roofs, cacheBytes, dtype, expertRouting),
        fit: (rows) => fitGroupedGemm(rows, roofs, cacheBytes, dtype, expertRouting),
        predictor: (fit) => groupedGemmPredictor(fit, roofs, dtype, expertRouting),
        sizes: EXPERT_SIZES,
      });
    return withWeightOnly(fitDtype("bf16")!, fitDtype("fp8"), fitDtype("int4"));
  }

  /** Prefill takes its bandwidth from decode. */
  attention(dtype: FittedKvDtype): {
    readonly decode: DecodeAttentionEfficiency | null;
    readonly prefill: PrefillAttentionEfficiency | null;
  } {
    const roofs = this.#roofs;
    const { former, method } = this.#options;
    const { cacheBytes } = method;
    const { decodeAttention, prefillAttention } = former;
    const decode = this.#fit<DecodeAttentionEfficiency>(
      "attention-decode",
      dtype,
      this.#measured.decodeAttention[dtype],
      decodeAttention[dtype],
      {
        former: decodeAttention[dtype] ?? { ...decodeAttention.bf16, groupSurface: null, kvHeadSurface: null },
        isResident: (row) => isDecodeResident(row, cacheBytes, dtype),
        fit: (rows) => fitDecodeAttention(rows, roofs, cacheBytes, dtype),
        predictor: (fit) => decodePredictor(fit, roofs, dtype),
        sizes: DECODE_SIZES,
      },
    );
    const { memoryEfficiency } = decode ?? decodeAttention.bf16;
    const prefill = this.#fit<PrefillAttentionEfficiency>(
      "attention-prefill",
      dtype,
      this.#measured.prefillAttention[dtype],
      prefillAttention[dtype],
      {
        former: prefillAttention[dtype] ?? prefillAttention.bf16,
        isResident: () => false,
        fit: (rows) => fitPrefillAttention(rows, roofs, dtype, memoryEfficiency),
        predictor: (fit) => prefillPredictor(fit, roofs, dtype),
        sizes: PREFILL_SIZES,
      },
    );
    return { decode, prefill };
  }

  /** @param own what the former efficiencies have for exactly this family and element type */
  #fit<Fit>(
    family: FittedFamily,
    dtype: string,
    measured: MeasuredFamily | undefined,
    own: Fit | null,
    how: Omit<FamilyFit<Fit>, "family" | "dtype" | "models" | "keepsBetter" | keyof MeasuredFamily>,
  ): Fit | null {
    const formerReport = this.#options.former.fits.find((fit) => fit.family === family && fit.dtype === dtype);
    if (measured === undefined) {
      this.unmeasured.push({ family, dtype });
      if (formerReport !== undefined) this.reports.push(formerReport);
      return own;
    }
    this.#options.onFamily?.(`${family} ${dtype}`, this.outcomes.length + 1, this.#numFamilies);
    const { keepsBetter = true, models } = this.#options;
    const shapes = models?.[family] ?? new Map();
    const { fit, report, outcome } = fitFamily({ family, dtype, ...measured, ...how, models: shapes, keepsBetter });
    this.outcomes.push(outcome);
    const stated = report ?? formerReport;
    if (stated !== undefined) this.reports.push(stated);
    return report === null ? own : fit;
  }
}

/** What an element type without a fit of its own is priced by. */
function bare(bf16: RoofEfficiency): RoofEfficiency {
  return { ...bf16, surface: null };
}

/** int4 without a surface follows bf16: it never had rows. */
function withWeightOnly(
  bf16: RoofEfficiency,
  fp8: RoofEfficiency | null,
  int4: RoofEfficiency | null,
): GpuEfficiency["gemm"] {
  if (int4 !== null && int4.surface !== null) return { bf16, fp8, int4 };
  const weightOnly = {
    launchUs: bf16.launchUs,
    memoryEfficiency: Number((bf16.memoryEfficiency * INT4_MEMORY_SHARE).toFixed(4)),
    computeEfficiency: Number((bf16.computeEfficiency * INT4_COMPUTE_SHARE).toFixed(4)),
    surface: null,
  };
  return { bf16, fp8, int4: weightOnly };
}

function referenceOf({ memory, compute, interconnect }: GpuSpec): GpuEfficiency["reference"] {
  return {
    bandwidthBytesPerS: memory.bandwidthBytesPerS,
    bf16FlopsPerS: compute.bf16FlopsPerS,
    fp8FlopsPerS: compute.fp8FlopsPerS,
    numSms: compute.numSms,
    l2Bytes: memory.l2Bytes,
    interconnectBytesPerS: interconnect.bandwidthBytesPerS,
    interconnectKind: interconnect.kind,
  };
}
