import type { KvDtype } from "../units/dtype.js";
import { attendedPairs, decodeKvTokens, prefillKvTokens } from "./attentionSpan.js";
import { ACTIVATION_BYTES } from "./gemmOperator.js";
import { kvBytesPerTokenOfLayer } from "./kvCacheSize.js";
import { attentionKinds } from "./layerKinds.js";
import type { AttentionArchitecture, ModelArchitecture } from "./modelArchitecture.js";
import type { Operator, OperatorDims, PrefillChunk, TokenShapes } from "./operator.js";
import { type AttentionShard, type Parallelism, shardAttention } from "./sharding.js";

/** The part of a step's shapes that attention depends on. */
export type AttentionTokens = Pick<TokenShapes, "prefillChunks" | "decodeContextTokens">;

/** One kind of attention layer on one GPU: what a step model keeps between steps. */
export interface AttentionLayer {
  /** `_sliding` for windowed layers of a model that has full attention too, else empty. */
  readonly nameSuffix: "" | "_sliding";
  readonly attention: AttentionArchitecture;
  readonly shard: AttentionShard;
  readonly count: number;
  readonly kvDtype: KvDtype;
  /** KV bytes of one token in one layer. */
  readonly kvTokenBytes: number;
}

export function attentionLayers(
  architecture: ModelArchitecture,
  parallelism: Parallelism,
  kvDtype: KvDtype,
): AttentionLayer[] {
  const kinds = attentionKinds(architecture);
  return kinds.map(({ attention, count }) => ({
    nameSuffix: kinds.length > 1 && attention.slidingWindow > 0 ? "_sliding" : "",
    attention,
    shard: shardAttention(attention, parallelism.tensorParallelSize),
    count,
    kvDtype,
    kvTokenBytes: kvBytesPerTokenOfLayer(attention, parallelism.tensorParallelSize, kvDtype),
  }));
}

/**
 * Attention of a step: per kind of layer one prefill and one decode operator, where the step has such rows.
 * Writing the new tokens' KV is part of them.
 */
export function attentionOperators(
  architecture: ModelArchitecture,
  parallelism: Parallelism,
  kvDtype: KvDtype,
  tokens: AttentionTokens,
): Operator[] {
  if (tokens.prefillChunks.length === 0 && tokens.decodeContextTokens.length === 0) return [];
  return attentionLayers(architecture, parallelism, kvDtype).flatMap((layer) => layerOperators(layer, tokens));
}

/** `attentionOperators` of one kind of layer. @param others decode rows that `tokens` does not list */
export function layerOperators(layer: AttentionLayer, tokens: AttentionTokens, others?: DecodeTotals): Operator[] {
  const { prefillChunks, decodeContextTokens } = tokens;
  const totals = decodeTotals(decodeContextTokens, layer.attention.slidingWindow, others);
  return [
    ...(prefillChunks.length > 0 ? [new PrefillAttentionOperator(layer).with(prefillChunks)] : []),
    ...(totals.numRequests > 0 ? [new DecodeAttentionOperator(layer).with(totals)] : []),
  ];
}

/** What the price of decode attention depends on: the number of rows, and the KV tokens that they read. */
export interface DecodeTotals {
  readonly numRequests: number;
  readonly sumContextTokens: number;
  readonly maxContextTokens: number;
}

const NO_DECODES: DecodeTotals = { numRequests: 0, sumContextTokens: 0, maxContextTokens: 0 };

/**
 * @param contextTokens of each row, the token being computed included
 * @param others further rows, whose contexts are known to be within the window
 */
export function decodeTotals(
  contextTokens: readonly number[],
  slidingWindow: number,
  others: DecodeTotals = NO_DECODES,
): DecodeTotals {
  let { sumContextTokens, maxContextTokens } = others;
  for (const context of contextTokens) {
    const kvTokens = decodeKvTokens(context, slidingWindow);
    sumContextTokens += kvTokens;
    maxContextTokens = Math.max(maxContextTokens, kvTokens);
  }
  return { numRequests: others.numRequests + contextTokens.length, sumContextTokens, maxContextTokens };
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
  readonly #layer: AttentionLayer;

  constructor(layer: AttentionLayer, phase: "prefill" | "decode", dims: D) {
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
  constructor(layer: AttentionLayer) {
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
  constructor(layer: AttentionLayer) {
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

function headsOf({ attention, shard, kvDtype }: AttentionLayer) {
  const { numHeads, numKvHeads, headDim } = shard;
  return { numHeads, numKvHeads, headDim, kvDtype, slidingWindow: attention.slidingWindow };
}
