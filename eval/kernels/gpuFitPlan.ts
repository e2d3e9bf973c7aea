import type { MlaTables } from "./mlaRows.js";

/** Which measurements a GPU's efficiencies are fitted to; paths below `systems/data` of an aiconfigurator checkout. */
export interface GpuFitPlan {
  /** Our id; also the JSON file's name. */
  readonly gpu: string;
  /** Hardware file below configs/hardware. */
  readonly hardwareFile: string;
  readonly system: string;
  /** vLLM version per family and dtype. */
  readonly gemm: Readonly<Partial<Record<"bf16" | "fp8", string>>>;
  readonly attention: Readonly<Partial<Record<"bf16" | "fp8", string>>>;
  readonly groupedGemm: Readonly<Partial<Record<"bf16" | "fp8" | "int4", string>>>;
  /** Latent attention; null where none was measured. */
  readonly mla: MlaTables | null;
  readonly allReduce: {
    /** vLLM version of the custom kernel's table. */
    readonly custom: string;
    /** NCCL version. */
    readonly nccl: string;
  };
}

/**
 * The version nearest to vLLM 0.15, with these exceptions:
 * - fp8 GEMM before 0.19 includes a separate quantisation kernel that a compiled vLLM fuses into the norm before it;
 * - fused bf16 and fp8 MoE before 0.19 ran untuned expert shapes (A100 has no later table; its rows use power-law
 *   routing), and int4 MoE of 0.19 a kernel several times slower than Marlin before it;
 * - B200 fp8 GEMM of 0.19 is untuned, slower than bf16;
 * - L40S fp8 attention in 0.14 multiplies in fp8, beyond the bf16 peak that attention is held to.
 */
export const GPU_FIT_PLANS: readonly GpuFitPlan[] = [
  {
    gpu: "H100",
    hardwareFile: "h100.json",
    system: "h100_sxm",
    gemm: { bf16: "0.14.0", fp8: "0.19.0" },
    attention: { bf16: "0.14.0", fp8: "0.14.0" },
    groupedGemm: { bf16: "0.19.0", fp8: "0.19.0", int4: "0.14.0" },
    mla: { module: "0.19.0", kernel: "0.14.0" },
    allReduce: { custom: "0.14.0", nccl: "2.27.3" },
  },
  {
    gpu: "H200",
    hardwareFile: "h200.json",
    system: "h200_sxm",
    gemm: { bf16: "0.14.0", fp8: "0.19.0" },
    attention: { bf16: "0.14.0", fp8: "0.14.0" },
    groupedGemm: { bf16: "0.19.0", fp8: "0.19.0", int4: "0.14.0" },
    mla: { module: "0.19.0", kernel: "0.14.0" },
    allReduce: { custom: "0.14.0", nccl: "2.29.2" },
  },
  {
    gpu: "A100-80",
    hardwareFile: "a100-80.json",
    system: "a100_sxm",
    gemm: { bf16: "0.14.0" },
    attention: { bf16: "0.14.0" },
    groupedGemm: { bf16: "0.14.0" },
    mla: { module: null, kernel: "0.14.0" },
    allReduce: { custom: "0.14.0", nccl: "2.27.3" },
  },
  {
    gpu: "L40S",
    hardwareFile: "l40s.json",
    system: "l40s",
    gemm: { bf16: "0.14.0", fp8: "0.24.0" },
    attention: { bf16: "0.14.0", fp8: "0.24.0" },
    groupedGemm: { bf16: "0.24.0", fp8: "0.24.0", int4: "0.24.0" },
    mla: { module: "0.24.0", kernel: "0.14.0" },
    allReduce: { custom: "0.14.0", nccl: "2.27.3" },
  },
  {
    gpu: "B200",
    hardwareFile: "b200.json",
    system: "b200_sxm",
    gemm: { bf16: "0.19.0", fp8: "0.24.0" },
    attention: { bf16: "0.19.0", fp8: "0.19.0" },
    groupedGemm: { bf16: "0.19.0", fp8: "0.19.0", int4: "0.24.0" },
    mla: { module: "0.19.0", kernel: null },
    allReduce: { custom: "0.19.0", nccl: "2.29.2" },
  },
];
