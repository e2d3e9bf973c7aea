/** vLLM versions of aiconfigurator's tables, by kernel family and element type: weights', or the KV cache's. */
export interface TableVersions {
  readonly gemm: Readonly<Partial<Record<"bf16" | "fp8", string>>>;
  readonly attention: Readonly<Partial<Record<"bf16" | "fp8", string>>>;
  readonly groupedGemm: Readonly<Partial<Record<"bf16" | "fp8" | "int4", string>>>;
  /** Of vLLM's custom kernel. */
  readonly allReduce: string;
}

/** The vLLM release that the simulator follows; tables of later ones are taken for a reason only. */
export const DEFAULT_TABLE_VERSION = "0.15";

/**
 * The tables to believe, by GPU: the version nearest to `DEFAULT_TABLE_VERSION`, with these exceptions.
 * - fp8 GEMM before 0.19 includes a separate quantisation kernel that a compiled vLLM fuses into the norm before it;
 * - fused bf16 and fp8 MoE before 0.19 ran most expert shapes untuned, at up to twice the time of the few tuned ones
 *   (A100 has no later table; its rows use power-law routing), and int4 MoE of 0.19 a kernel several times slower than
 *   Marlin before it;
 * - B200 fp8 GEMM of 0.19 is untuned, slower than bf16;
 * - L40S fp8 attention in 0.14 multiplies in fp8, beyond the bf16 peak that attention is held to.
 */
export const TABLE_VERSIONS = {
  H100: {
    gemm: { bf16: "0.14.0", fp8: "0.19.0" },
    attention: { bf16: "0.14.0", fp8: "0.14.0" },
    groupedGemm: { bf16: "0.19.0", fp8: "0.19.0", int4: "0.14.0" },
    allReduce: "0.14.0",
  },
  H200: {
    gemm: { bf16: "0.14.0", fp8: "0.19.0" },
    attention: { bf16: "0.14.0", fp8: "0.14.0" },
    groupedGemm: { bf16: "0.19.0", fp8: "0.19.0", int4: "0.14.0" },
    allReduce: "0.14.0",
  },
  "A100-80": {
    gemm: { bf16: "0.14.0" },
    attention: { bf16: "0.14.0" },
    groupedGemm: { bf16: "0.14.0" },
    allReduce: "0.14.0",
  },
  L40S: {
    gemm: { bf16: "0.14.0", fp8: "0.24.0" },
    attention: { bf16: "0.14.0", fp8: "0.24.0" },
    groupedGemm: { bf16: "0.24.0", fp8: "0.24.0", int4: "0.24.0" },
    allReduce: "0.14.0",
  },
  B200: {
    gemm: { bf16: "0.19.0", fp8: "0.24.0" },
    attention: { bf16: "0.19.0", fp8: "0.19.0" },
    groupedGemm: { bf16: "0.19.0", fp8: "0.19.0", int4: "0.24.0" },
    allReduce: "0.19.0",
  },
} as const satisfies Readonly<Record<string, TableVersions>>;
