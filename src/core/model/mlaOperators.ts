import type { KvDtype, WeightDtype } from "../units/dtype.js";
import type { DecodeTotals } from "./attentionRows.js";
import { attendedPairs } from "./attentionSpan.js";
import {
  ACTIVATION_BYTES,
  gemmActivationBytes,
  gemmFlops,
  gemmOperator,
  gemmWeightBytes,
  memoryOperator,
} from "./gemmOperator.js";
import type { MlaAttention } from "./modelArchitecture.js";
import type { Operator, OperatorDims, PrefillChunk } from "./operator.js";
import { type MlaShard, shardMla } from "./sharding.js";

/**
 * Multi-head latent attention as vLLM V1 runs it: two ways through one set of weights.
 *
 * Prompts are expanded: the latents of the new tokens, and those of cached tokens before them, are projected to keys and
 * values of every head, and attention is multi-head over them. Decodes are absorbed: queries are multiplied into the
 * latent space (W_UK), attention reads each latent once for all heads, and its output is multiplied out of it (W_UV).
 * Kernels may run prompts of a few hundred tokens the absorbed way too; here every prompt is expanded.
 *
 * @see vLLM `vllm/v1/attention/backends/mla/common.py`
 */
export interface MlaAttentionLayer {
  readonly kind: "mla";
  readonly attention: MlaAttention;
  readonly shard: MlaShard;
  readonly count: number;
  readonly kvDtype: KvDtype;
  readonly weightDtype: WeightDtype;
  /** KV bytes of one token in one layer. */
  readonly kvTokenBytes: number;
}

/** The linear layers around the attention of `count` layers: all that depends on the number of tokens only. */
export function mlaProjectionOperators(
  attention: MlaAttention,
  count: number,
  context: {
    readonly hiddenSize: number;
    readonly tensorParallelSize: number;
    readonly weightDtype: WeightDtype;
    readonly numTokens: number;
  },
): { before: Operator[]; after: Operator[] } {
  const { hiddenSize, tensorParallelSize, weightDtype, numTokens } = context;
  const { qLoraRank, kvLoraRank, ropeHeadDim } = attention;
  const { numHeads, latentSize, querySize, outputSize } = shardMla(attention, tensorParallelSize);
  const product = (name: string, k: number, n: number) =>
    gemmOperator(name, count, { m: numTokens, k, n, weightDtype });
  const norm = (name: string, size: number) =>
    memoryOperator(name, "norm", count, { numTokens, inputSize: size, outputSize: size, weightSize: size });
  const rotated = (numHeads + 1) * ropeHeadDim;
  const queries =
    qLoraRank > 0
      ? [
          // One product for both latents, whole on every GPU.
          product("qkv_a_proj", hiddenSize, latentSize),
          norm("q_a_norm", qLoraRank),
          product("q_b_proj", qLoraRank, querySize),
        ]
      : [product("q_proj", hiddenSize, querySize), product("kv_a_proj", hiddenSize, latentSize)];
  return {
    before: [
      ...queries,
      norm("kv_a_norm", kvLoraRank),
      memoryOperator("rope", "rope", count, { numTokens, inputSize: rotated, outputSize: rotated }),
    ],
    after: [product("o_proj", outputSize, hiddenSize)],
  };
}

/** What attention over latents multiplies per (query, key) pair: QKᵀ over latent and rotary part, PV over the latent. */
function latentPairSize(numHeads: number, kvLoraRank: number, ropeHeadDim: number): number {
  return numHeads * (2 * kvLoraRank + ropeHeadDim);
}

/** FLOPs of decode rows whose contexts add up to `sumContextTokens`. */
export function mlaDecodeFlops(
  { numHeads, kvLoraRank, ropeHeadDim }: Pick<MlaDecodeDims, "numHeads" | "kvLoraRank" | "ropeHeadDim">,
  sumContextTokens: number,
): number {
  return 2 * latentPairSize(numHeads, kvLoraRank, ropeHeadDim) * sumContextTokens;
}

type MlaDecodeDims = Extract<OperatorDims, { category: "mla-decode" }>;

/**
 * The operators of MLA on one GPU that depend on a step's rows. Whoever prices every step keeps one: the operators and the
 * lists change with the rows, and nothing is allocated for them.
 */
export class MlaRowOperators {
  readonly #expansion: LatentExpansion;
  readonly #gather: ContextGather;
  readonly #contextExpansion: LatentExpansion;
  readonly #prefill: MlaPrefillOperator;
  readonly #absorbKeys: AbsorbedProduct;
  readonly #decode: MlaDecodeOperator;
  readonly #absorbValues: AbsorbedProduct;
  readonly #freshPrompts: readonly Operator[];
  readonly #laterChunks: readonly Operator[];
  readonly #decodes: readonly Operator[];

  constructor(layer: MlaAttentionLayer) {
    const { nopeHeadDim, valueHeadDim, kvLoraRank } = layer.attention;
    this.#expansion = new LatentExpansion("kv_b_proj", layer);
    this.#gather = new ContextGather(layer);
    this.#contextExpansion = new LatentExpansion("context_kv_b_proj", layer);
    this.#prefill = new MlaPrefillOperator(layer);
    this.#absorbKeys = new AbsorbedProduct("w_uk_bmm", layer, nopeHeadDim, kvLoraRank);
    this.#decode = new MlaDecodeOperator(layer);
    this.#absorbValues = new AbsorbedProduct("w_uv_bmm", layer, kvLoraRank, valueHeadDim);
    this.#freshPrompts = [this.#expansion, this.#prefill];
    this.#laterChunks = [this.#expansion, this.#gather, this.#contextExpansion, this.#prefill];
    this.#decodes = [this.#absorbKeys, this.#decode, this.#absorbValues];
  }

  /** @param chunks ≥ 1; kept, not copied @returns the operators in their order, the same objects every time */
  prefill(chunks: readonly PrefillChunk[]): readonly Operator[] {
    let numNewTokens = 0;
    let numContextTokens = 0;
    for (let i = 0; i < chunks.length; i++) {
      numNewTokens += chunks[i]!.newTokens;
      numContextTokens += chunks[i]!.contextTokens;
    }
    this.#expansion.setTokens(numNewTokens);
    this.#prefill.setChunks(chunks, numNewTokens, numContextTokens);
    if (numContextTokens === 0) return this.#freshPrompts;
    this.#gather.setTokens(numContextTokens);
    this.#contextExpansion.setTokens(numContextTokens);
    return this.#laterChunks;
  }

  /** @param totals of ≥ 1 rows @returns the operators in their order, the same objects every time */
  decode(totals: DecodeTotals): readonly Operator[] {
    this.#absorbKeys.setTokens(totals.numRequests);
    this.#decode.setTotals(totals);
    this.#absorbValues.setTokens(totals.numRequests);
    return this.#decodes;
  }
}

/** An operator of MLA that is given other rows with every step. */
abstract class MlaOperator<D extends OperatorDims> implements Operator {
  readonly name: string;
  readonly dims: D;
  readonly count: number;
  readonly inputShape: number[];
  readonly outputShape: number[];
  flops = 0;
  weightBytes = 0;
  activationBytes = 0;
  kvReadBytes = 0;
  kvWriteBytes = 0;

  constructor(name: string, { count }: MlaAttentionLayer, dims: D, inputSizes: number[], outputSizes: number[]) {
    this.name = name;
    this.dims = dims;
    this.count = count;
    this.inputShape = [0, ...inputSizes];
    this.outputShape = [0, ...outputSizes];
  }

  protected setShape(numTokens: number): void {
    this.inputShape[0] = numTokens;
    this.outputShape[0] = numTokens;
  }
}

/** Latents to keys and values of this GPU's heads: a linear layer whose rows are a part of the step's tokens. */
class LatentExpansion extends MlaOperator<Extract<OperatorDims, { category: "gemm" }>> {
  constructor(name: string, layer: MlaAttentionLayer) {
    const { attention, shard, weightDtype } = layer;
    const [k, n] = [attention.kvLoraRank, shard.kvExpandedSize];
    super(name, layer, { category: "gemm", m: 0, k, n, weightDtype }, [k], [n]);
    this.weightBytes = gemmWeightBytes(k, n, weightDtype);
  }

  setTokens(numTokens: number): void {
    const { k, n } = this.dims;
    this.dims.m = numTokens;
    this.setShape(numTokens);
    this.flops = gemmFlops(numTokens, k, n);
    this.activationBytes = gemmActivationBytes(numTokens, k, n);
  }
}

/**
 * Copies the latents of cached tokens into a 16-bit workspace. Each chunk of a prompt does so for all tokens before it;
 * that it takes several rounds once they exceed the workspace is not counted.
 */
class ContextGather extends MlaOperator<{ category: "elementwise"; numTokens: number }> {
  readonly #latentSize: number;
  readonly #kvTokenBytes: number;

  constructor(layer: MlaAttentionLayer) {
    const latentSize = layer.attention.kvLoraRank + layer.attention.ropeHeadDim;
    super("context_gather", layer, { category: "elementwise", numTokens: 0 }, [latentSize], [latentSize]);
    this.#latentSize = latentSize;
    this.#kvTokenBytes = layer.kvTokenBytes;
  }

  setTokens(numTokens: number): void {
    this.dims.numTokens = numTokens;
    this.setShape(numTokens);
    this.kvReadBytes = numTokens * this.#kvTokenBytes;
    this.activationBytes = numTokens * this.#latentSize * ACTIVATION_BYTES;
  }
}

/** Multi-head attention of prompts over expanded keys and values; writing the new tokens' latents is part of it. */
class MlaPrefillOperator extends MlaOperator<Extract<OperatorDims, { category: "mla-prefill" }>> {
  readonly #kvTokenBytes: number;

  constructor(layer: MlaAttentionLayer) {
    const { numHeads } = layer.shard;
    const { nopeHeadDim, ropeHeadDim, valueHeadDim } = layer.attention;
    const queryHeadDim = nopeHeadDim + ropeHeadDim;
    super(
      "attention_prefill",
      layer,
      { category: "mla-prefill", numHeads, queryHeadDim, valueHeadDim, chunks: [] },
      [numHeads, queryHeadDim],
      [numHeads, valueHeadDim],
    );
    this.#kvTokenBytes = layer.kvTokenBytes;
  }

  /**
   * 2 FLOPs per pair, head and dim of QKᵀ (query head size) and of PV (value head size). Queries in, outputs out, the
   * expanded keys and values of new and cached tokens read once.
   */
  setChunks(chunks: readonly PrefillChunk[], numNewTokens: number, numContextTokens: number): void {
    const { numHeads, queryHeadDim, valueHeadDim } = this.dims;
    let numPairs = 0;
    for (let i = 0; i < chunks.length; i++) numPairs += attendedPairs(chunks[i]!, 0);
    const sizePerToken = numHeads * (queryHeadDim + valueHeadDim);
    this.dims.chunks = chunks;
    this.setShape(numNewTokens);
    this.flops = 2 * sizePerToken * numPairs;
    this.activationBytes = (2 * numNewTokens + numContextTokens) * sizePerToken * ACTIVATION_BYTES;
    this.kvWriteBytes = numNewTokens * this.#kvTokenBytes;
  }
}

/**
 * One matrix per head, 16-bit whatever the checkpoint: into the latent space and out of it, for the tokens that decode.
 * FLOPs and bytes as of as many products.
 */
class AbsorbedProduct extends MlaOperator<Extract<OperatorDims, { category: "batched-gemm" }>> {
  constructor(name: string, layer: MlaAttentionLayer, k: number, n: number) {
    const numMatrices = layer.shard.numHeads;
    const dims = { category: "batched-gemm", numMatrices, m: 0, k, n } as const;
    super(name, layer, { ...dims }, [numMatrices, k], [numMatrices, n]);
    this.weightBytes = numMatrices * gemmWeightBytes(k, n, "bf16");
  }

  setTokens(numTokens: number): void {
    const { numMatrices, k, n } = this.dims;
    this.dims.m = numTokens;
    this.setShape(numTokens);
    this.flops = numMatrices * gemmFlops(numTokens, k, n);
    this.activationBytes = numMatrices * gemmActivationBytes(numTokens, k, n);
  }
}

/** Attention of decode rows over the latent cache: as multi-query attention with one KV head, shared by all heads. */
class MlaDecodeOperator extends MlaOperator<MlaDecodeDims> {
  readonly #kvTokenBytes: number;

  constructor(layer: MlaAttentionLayer) {
    const { numHeads } = layer.shard;
    const { kvLoraRank, ropeHeadDim } = layer.attention;
    const noRows = { numRequests: 0, sumContextTokens: 0, maxContextTokens: 0 };
    super(
      "attention_decode",
      layer,
      { category: "mla-decode", numHeads, kvLoraRank, ropeHeadDim, kvDtype: layer.kvDtype, ...noRows },
      [numHeads, kvLoraRank + ropeHeadDim],
      [numHeads, kvLoraRank],
    );
    this.#kvTokenBytes = layer.kvTokenBytes;
  }

  /**
   * Queries in, outputs out; latents are read once for all heads, new ones written.
   */
  setTotals({ numRequests, sumContextTokens, maxContextTokens }: DecodeTotals): void {
    const { numHeads, kvLoraRank, ropeHeadDim } = this.dims;
    const sizePerToken = latentPairSize(numHeads, kvLoraRank, ropeHeadDim);
    this.dims.numRequests = numRequests;
    this.dims.sumContextTokens = sumContextTokens;
    this.dims.maxContextTokens = maxContextTokens;
    this.setShape(numRequests);
    this.flops = mlaDecodeFlops(this.dims, sumContextTokens);
    this.activationBytes = numRequests * sizePerToken * ACTIVATION_BYTES;
    this.kvReadBytes = sumContextTokens * this.#kvTokenBytes;
    this.kvWriteBytes = numRequests * this.#kvTokenBytes;
  }
}
