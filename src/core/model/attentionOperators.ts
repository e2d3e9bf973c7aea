import type { KvDtype } from "../units/dtype.js";
import { type AttentionTokens, type DecodeTotals, decodeTotals } from "./attentionRows.js";
import { attendedPairs, prefillKvTokens } from "./attentionSpan.js";
import { ACTIVATION_BYTES } from "./gemmOperator.js";
import { kvBytesPerTokenOfLayer } from "./kvCacheSize.js";
import { attentionKinds } from "./layerKinds.js";
import { type MlaAttentionLayer, MlaRowOperators } from "./mlaOperators.js";
import type { GqaAttention, ModelArchitecture } from "./modelArchitecture.js";
import type { Operator, OperatorDims, PrefillChunk } from "./operator.js";
import type { ServingDtypes } from "./operators.js";
import { type AttentionShard, type Parallelism, shardAttention, shardMla } from "./sharding.js";

/** One kind of attention layer on one GPU: what a step model keeps between steps. */
export type AttentionLayer = GqaAttentionLayer | MlaAttentionLayer;

export interface GqaAttentionLayer {
  readonly kind: "gqa";
  /** `_sliding` for windowed layers of a model that has full attention too, else empty. */
  readonly nameSuffix: "" | "_sliding";
  readonly attention: GqaAttention;
  readonly shard: AttentionShard;
  readonly count: number;
  readonly kvDtype: KvDtype;
  /** KV bytes of one token in one layer. */
  readonly kvTokenBytes: number;
}

export function attentionLayers(
  architecture: ModelArchitecture,
  parallelism: Parallelism,
  { weightDtype, kvDtype }: ServingDtypes,
): AttentionLayer[] {
  const { tensorParallelSize } = parallelism;
  const kinds = attentionKinds(architecture);
  return kinds.map(({ attention, count }): AttentionLayer => {
    const kvTokenBytes = kvBytesPerTokenOfLayer(attention, tensorParallelSize, kvDtype);
    if (attention.kind === "mla") {
      const shard = shardMla(attention, tensorParallelSize);
      return { kind: "mla", attention, shard, count, kvDtype, weightDtype, kvTokenBytes };
    }
    const shard = shardAttention(attention, tensorParallelSize);
    const nameSuffix = kinds.length > 1 && attention.slidingWindow > 0 ? "_sliding" : "";
    return { kind: "gqa", nameSuffix, attention, shard, count, kvDtype, kvTokenBytes };
  });
}

/**
 * Attention of a step: per kind of layer one prefill and one decode operator, where the step has such rows; latent
 * attention has further products around the two (`MlaRowOperators`).
 * Writing the new tokens' KV is part of them.
 */
export function attentionOperators(
  architecture: ModelArchitecture,
  parallelism: Parallelism,
  dtypes: ServingDtypes,
  tokens: AttentionTokens,
): Operator[] {
  if (tokens.prefillChunks.length === 0 && tokens.decodeContextTokens.length === 0) return [];
  return attentionLayers(architecture, parallelism, dtypes).flatMap((layer) => layerOperators(layer, tokens));
}

/** `attentionOperators` of one kind of layer. @param others decode rows that `tokens` does not list */
export function layerOperators(layer: AttentionLayer, tokens: AttentionTokens, others?: DecodeTotals): Operator[] {
  const { prefillChunks, decodeContextTokens } = tokens;
  const totals = decodeTotals(decodeContextTokens, layer.attention.slidingWindow, others);
  if (layer.kind === "mla") {
    const rows = new MlaRowOperators(layer);
    return [
      ...(prefillChunks.length > 0 ? rows.prefill(prefillChunks) : []),
      ...(totals.numRequests > 0 ? rows.decode(totals) : []),
    ];
  }
  return [
    ...(prefillChunks.length > 0 ? [new PrefillAttentionOperator(layer).with(prefillChunks)] : []),
    ...(totals.numRequests > 0 ? [new DecodeAttentionOperator(layer).with(totals)] : []),
  ];
}

type AttentionDims = Extract<OperatorDims, { category: "attention-prefill" | "attention-decode" }>;

/** Attention of one kind of layer that can be given other rows: whoever prices every step keeps one. */
abstract class AttentionOperator<D extends AttentionDims> implements Operator {
  readonly name: string;
  readonly dims: D;
  readonly count: number;
  readonly inputShape: number[];
  readonly outputShape: number[];
  flops = 0;
  readonly weightBytes = 0;
  activationBytes = 0;
  kvReadBytes = 0;
  kvWriteBytes = 0;
  readonly #layer: GqaAttentionLayer;

  constructor(layer: GqaAttentionLayer, phase: "prefill" | "decode", dims: D) {
    const { numHeads, headDim } = layer.shard;
    this.#layer = layer;
    this.name = `attention_${phase}${layer.nameSuffix}`;
    this.dims = dims;
    this.count = layer.count;
    this.inputShape = [0, numHeads, headDim];
    this.outputShape = [0, numHeads, headDim];
  }

  /**
   * Two products (QKᵀ and PV) of 2 FLOPs per pair, head and dim; queries in, outputs out, KV read once, new KV written.
   * Allocates nothing.
   */
  protected setWork(numQueries: number, numPairs: number, numKvTokens: number): void {
    const { shard, kvTokenBytes } = this.#layer;
    this.inputShape[0] = numQueries;
    this.outputShape[0] = numQueries;
    this.flops = 4 * shard.outputSize * numPairs;
    this.activationBytes = 2 * numQueries * shard.outputSize * ACTIVATION_BYTES;
    this.kvReadBytes = numKvTokens * kvTokenBytes;
    this.kvWriteBytes = numQueries * kvTokenBytes;
  }
}

/** Prefill attention over all chunks of a step. */
export class PrefillAttentionOperator extends AttentionOperator<
  Extract<OperatorDims, { category: "attention-prefill" }>
> {
  constructor(layer: GqaAttentionLayer) {
    super(layer, "prefill", { category: "attention-prefill", ...headsOf(layer), chunks: [] });
  }

  /** @param chunks kept, not copied @returns itself, changed */
  with(chunks: readonly PrefillChunk[]): this {
    const { slidingWindow } = this.dims;
    let numNewTokens = 0;
    let numPairs = 0;
    let numKvTokens = 0;
    for (let i = 0; i < chunks.length; i++) {
      const chunk = chunks[i]!;
      numNewTokens += chunk.newTokens;
      numPairs += attendedPairs(chunk, slidingWindow);
      numKvTokens += prefillKvTokens(chunk, slidingWindow);
    }
    this.dims.chunks = chunks;
    this.setWork(numNewTokens, numPairs, numKvTokens);
    return this;
  }
}

/** Decode attention over all decode rows of a step. */
export class DecodeAttentionOperator extends AttentionOperator<
  Extract<OperatorDims, { category: "attention-decode" }>
> {
  constructor(layer: GqaAttentionLayer) {
    const noRows = { numRequests: 0, sumContextTokens: 0, maxContextTokens: 0 };
    super(layer, "decode", { category: "attention-decode", ...headsOf(layer), ...noRows });
  }

  /** @param totals with the layer's window applied @returns itself, changed */
  with({ numRequests, sumContextTokens, maxContextTokens }: DecodeTotals): this {
    this.dims.numRequests = numRequests;
    this.dims.sumContextTokens = sumContextTokens;
    this.dims.maxContextTokens = maxContextTokens;
    this.setWork(numRequests, sumContextTokens, sumContextTokens);
    return this;
  }
}

function headsOf({ attention, shard, kvDtype }: GqaAttentionLayer) {
  const { numHeads, numKvHeads, headDim } = shard;
  return { numHeads, numKvHeads, headDim, kvDtype, slidingWindow: attention.slidingWindow };
}
