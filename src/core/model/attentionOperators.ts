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
    ...(prefillChunks.length > 0 ? [prefillAttentionOperator(layer, prefillChunks)] : []),
    ...(totals.numRequests > 0 ? [decodeAttentionOperator(layer, totals)] : []),
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

/** Prefill attention of one kind of layer over all chunks of a step. */
export function prefillAttentionOperator(layer: AttentionLayer, chunks: readonly PrefillChunk[]): Operator {
  return new PrefillAttentionOperator(layer).with(chunks);
}

/** Prefill attention of one kind of layer that can be given other chunks: whoever prices every step keeps one. */
export class PrefillAttentionOperator implements Operator {
  readonly name: string;
  readonly dims: Extract<OperatorDims, { category: "attention-prefill" }>;
  readonly count: number;
  readonly inputShape: number[];
  readonly outputShape: number[];
  flops = 0;
  readonly weightBytes = 0;
  activationBytes = 0;
  kvReadBytes = 0;
  kvWriteBytes = 0;
  readonly #layer: AttentionLayer;

  constructor(layer: AttentionLayer) {
    const { attention, shard, kvDtype, nameSuffix, count } = layer;
    const { numHeads, numKvHeads, headDim } = shard;
    const { slidingWindow } = attention;
    this.#layer = layer;
    this.name = `attention_prefill${nameSuffix}`;
    this.dims = { category: "attention-prefill", numHeads, numKvHeads, headDim, kvDtype, slidingWindow, chunks: [] };
    this.count = count;
    this.inputShape = [0, numHeads, headDim];
    this.outputShape = [0, numHeads, headDim];
  }

  /** @param chunks kept, not copied @returns itself, changed; allocates nothing */
  with(chunks: readonly PrefillChunk[]): this {
    const layer = this.#layer;
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
    this.inputShape[0] = numNewTokens;
    this.outputShape[0] = numNewTokens;
    this.flops = attentionFlops(layer, numPairs);
    this.activationBytes = attentionActivationBytes(layer, numNewTokens);
    this.kvReadBytes = numKvTokens * layer.kvTokenBytes;
    this.kvWriteBytes = numNewTokens * layer.kvTokenBytes;
    return this;
  }
}

/** Decode attention of one kind of layer, whose window the totals must know. */
export function decodeAttentionOperator(layer: AttentionLayer, totals: DecodeTotals): Operator {
  return new DecodeAttentionOperator(layer).with(totals);
}

/** Decode attention of one kind of layer that can be given other totals: whoever prices every step keeps one. */
export class DecodeAttentionOperator implements Operator {
  readonly name: string;
  readonly dims: Extract<OperatorDims, { category: "attention-decode" }>;
  readonly count: number;
  readonly inputShape: number[];
  readonly outputShape: number[];
  flops = 0;
  readonly weightBytes = 0;
  activationBytes = 0;
  kvReadBytes = 0;
  kvWriteBytes = 0;
  readonly #layer: AttentionLayer;

  constructor(layer: AttentionLayer) {
    const { attention, shard, kvDtype, nameSuffix, count } = layer;
    const { numHeads, numKvHeads, headDim } = shard;
    this.#layer = layer;
    this.name = `attention_decode${nameSuffix}`;
    this.dims = {
      category: "attention-decode",
      numHeads,
      numKvHeads,
      headDim,
      kvDtype,
      slidingWindow: attention.slidingWindow,
      numRequests: 0,
      sumContextTokens: 0,
      maxContextTokens: 0,
    };
    this.count = count;
    this.inputShape = [0, numHeads, headDim];
    this.outputShape = [0, numHeads, headDim];
  }

  /** @returns itself, changed; allocates nothing */
  with({ numRequests, sumContextTokens, maxContextTokens }: DecodeTotals): this {
    const layer = this.#layer;
    this.dims.numRequests = numRequests;
    this.dims.sumContextTokens = sumContextTokens;
    this.dims.maxContextTokens = maxContextTokens;
    this.inputShape[0] = numRequests;
    this.outputShape[0] = numRequests;
    this.flops = attentionFlops(layer, sumContextTokens);
    this.activationBytes = attentionActivationBytes(layer, numRequests);
    this.kvReadBytes = sumContextTokens * layer.kvTokenBytes;
    this.kvWriteBytes = numRequests * layer.kvTokenBytes;
    return this;
  }
}

/** Two products (QKᵀ and PV) of 2 FLOPs per pair, head and dim. */
function attentionFlops({ shard }: AttentionLayer, numPairs: number): number {
  return 4 * shard.outputSize * numPairs;
}

/** Queries in, outputs out. */
function attentionActivationBytes({ shard }: AttentionLayer, numQueries: number): number {
  return 2 * numQueries * shard.outputSize * ACTIVATION_BYTES;
}
