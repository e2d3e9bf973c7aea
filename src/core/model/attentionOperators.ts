import type { KvDtype } from "../units/dtype.js";
import { attendedPairs, decodeKvTokens, prefillKvTokens } from "./attentionSpan.js";
import { ACTIVATION_BYTES } from "./gemmOperator.js";
import { kvBytesPerTokenOfLayer } from "./kvCacheSize.js";
import { attentionKinds } from "./layerKinds.js";
import type { AttentionArchitecture, ModelArchitecture } from "./modelArchitecture.js";
import type { Operator, PrefillChunk, TokenShapes } from "./operator.js";
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
  const { attention, shard } = layer;
  const { slidingWindow } = attention;
  let numNewTokens = 0;
  let numPairs = 0;
  let numKvTokens = 0;
  for (const chunk of chunks) {
    numNewTokens += chunk.newTokens;
    numPairs += attendedPairs(chunk, slidingWindow);
    numKvTokens += prefillKvTokens(chunk, slidingWindow);
  }
  const { numHeads, numKvHeads, headDim } = shard;
  const { kvDtype } = layer;
  return {
    name: `attention_prefill${layer.nameSuffix}`,
    dims: { category: "attention-prefill", numHeads, numKvHeads, headDim, kvDtype, slidingWindow, chunks },
    ...attentionWork(layer, numNewTokens, numPairs, numKvTokens),
  };
}

/** Decode attention of one kind of layer, whose window the totals must know. */
export function decodeAttentionOperator(layer: AttentionLayer, totals: DecodeTotals): Operator {
  const { numRequests, sumContextTokens, maxContextTokens } = totals;
  const { slidingWindow } = layer.attention;
  const { numHeads, numKvHeads, headDim } = layer.shard;
  const { kvDtype } = layer;
  return {
    name: `attention_decode${layer.nameSuffix}`,
    dims: {
      category: "attention-decode",
      numHeads,
      numKvHeads,
      headDim,
      kvDtype,
      slidingWindow,
      numRequests,
      sumContextTokens,
      maxContextTokens,
    },
    ...attentionWork(layer, numRequests, sumContextTokens, sumContextTokens),
  };
}

/** Two products (QKᵀ and PV) of 2 FLOPs per pair, head and dim; queries in, outputs out, KV read once, new KV written. */
function attentionWork(layer: AttentionLayer, numQueries: number, numPairs: number, numKvTokens: number) {
  const { shard, count, kvTokenBytes } = layer;
  return {
    count,
    inputShape: [numQueries, shard.numHeads, shard.headDim],
    outputShape: [numQueries, shard.numHeads, shard.headDim],
    flops: 4 * shard.outputSize * numPairs,
    weightBytes: 0,
    activationBytes: 2 * numQueries * shard.outputSize * ACTIVATION_BYTES,
    kvReadBytes: numKvTokens * kvTokenBytes,
    kvWriteBytes: numQueries * kvTokenBytes,
  };
}
