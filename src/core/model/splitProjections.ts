import { gemmOperator, gemmWeightBytes } from "./gemmOperator.js";
import { attentionKinds } from "./layerKinds.js";
import type { ModelArchitecture } from "./modelArchitecture.js";
import type { Operator } from "./operator.js";
import { type Parallelism, shardAttention } from "./sharding.js";

/** Columns of one of the products that a fused one stands for. */
interface Part {
  readonly name: string;
  readonly n: number;
}

/**
 * The operators with every fused product taken apart: QKV into Q, K and V (or their latents), gate-up into gate and up. The FLOPs and the
 * weights stay; the input is read by each part. vLLM runs the fused products: this is for models that do not know it.
 */
export function splitProjections(
  operators: readonly Operator[],
  architecture: ModelArchitecture,
  parallelism: Parallelism,
): Operator[] {
  return operators.flatMap((operator) => {
    const parts = partsOf(operator, architecture, parallelism);
    return parts === null ? [operator] : parts.map((part) => productOf(operator, part));
  });
}

function partsOf(operator: Operator, architecture: ModelArchitecture, parallelism: Parallelism): Part[] | null {
  const { name, dims } = operator;
  if (dims.category !== "gemm") return null;
  if (name.endsWith("gate_up_proj")) {
    const prefix = name.slice(0, -"gate_up_proj".length);
    return ["gate_proj", "up_proj"].map((part) => ({ name: prefix + part, n: dims.n / 2 }));
  }
  const attentions = attentionKinds(architecture).map(({ attention }) => attention);
  if (name === "qkv_a_proj") {
    const latent = attentions.find((attention) => attention.kind === "mla");
    if (latent === undefined) return null;
    return [
      { name: "q_a_proj", n: latent.qLoraRank },
      { name: "kv_a_proj", n: dims.n - latent.qLoraRank },
    ];
  }
  if (name !== "qkv_proj") return null;
  const shards = attentions.flatMap((attention) =>
    attention.kind === "gqa" ? [shardAttention(attention, parallelism.tensorParallelSize)] : [],
  );
  const shard = shards.find(({ qkvSize }) => qkvSize === dims.n);
  if (shard === undefined) return null;
  const { numHeads, numKvHeads, headDim } = shard;
  return [
    { name: "q_proj", n: numHeads * headDim },
    { name: "k_proj", n: numKvHeads * headDim },
    { name: "v_proj", n: numKvHeads * headDim },
  ];
}

function productOf({ dims, count, weightBytes }: Operator, { name, n }: Part): Operator {
  if (dims.category !== "gemm") throw new TypeError("only matrix products are fused");
  const { m, k, weightDtype } = dims;
  const hasBias = weightBytes > gemmWeightBytes(k, dims.n, weightDtype);
  return gemmOperator(name, count, { m, k, n, weightDtype, hasBias });
}
