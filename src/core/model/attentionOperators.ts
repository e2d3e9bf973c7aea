import type { KvDtype } from "../units/dtype.js";
import { attendedPairs, decodeKvTokens, prefillKvTokens } from "./attentionSpan.js";
import { ACTIVATION_BYTES } from "./gemmOperator.js";
import { kvBytesPerTokenOfLayer } from "./kvCacheSize.js";
import { attentionKinds } from "./layerKinds.js";
import type { AttentionArchitecture, ModelArchitecture } from "./modelArchitecture.js";
import type { Operator, TokenShapes } from "./operator.js";
import { type AttentionShard, type Parallelism, shardAttention } from "./sharding.js";

/** The part of a step's shapes that attention depends on. */
export type AttentionTokens = Pick<TokenShapes, "prefillChunks" | "decodeContextTokens">;

/** One kind of attention layer on one GPU. */
interface AttentionLayer {
  readonly attention: AttentionArchitecture;
  readonly shard: AttentionShard;
  readonly count: number;
  readonly kvDtype: KvDtype;
  /** KV bytes of one token in one layer. */
  readonly kvTokenBytes: number;
}

/**
 * Attention of a step: per kind of layer one prefill and one decode operator, where the step has such rows.
 * Layers with a sliding window are named `…_sliding` in models that also have full attention.
 * Writing the new tokens' KV is part of them.
 */
export function attentionOperators(
  architecture: ModelArchitecture,
  parallelism: Parallelism,
  kvDtype: KvDtype,
  tokens: AttentionTokens,
): Operator[] {
  const kinds = attentionKinds(architecture);
  const operators: Operator[] = [];
  for (const { attention, count } of kinds) {
    const shard = shardAttention(attention, parallelism.tensorParallelSize);
    const kvTokenBytes = kvBytesPerTokenOfLayer(attention, parallelism.tensorParallelSize, kvDtype);
    const suffix = kinds.length > 1 && attention.slidingWindow > 0 ? "_sliding" : "";
    const layer = { attention, shard, count, kvDtype, kvTokenBytes };
    if (tokens.prefillChunks.length > 0) operators.push(prefillOperator(`attention_prefill${suffix}`, layer, tokens));
    if (tokens.decodeContextTokens.length > 0) {
      operators.push(decodeOperator(`attention_decode${suffix}`, layer, tokens));
    }
  }
  return operators;
}

function prefillOperator(name: string, layer: AttentionLayer, tokens: AttentionTokens): Operator {
  const { attention, shard, count, kvDtype, kvTokenBytes } = layer;
  const { slidingWindow } = attention;
  let numNewTokens = 0;
  let numPairs = 0;
  let numKvTokens = 0;
  for (const chunk of tokens.prefillChunks) {
    numNewTokens += chunk.newTokens;
    numPairs += attendedPairs(chunk, slidingWindow);
    numKvTokens += prefillKvTokens(chunk, slidingWindow);
  }
  return {
    name,
    dims: {
      category: "attention-prefill",
      numHeads: shard.numHeads,
      numKvHeads: shard.numKvHeads,
      headDim: shard.headDim,
      kvDtype,
      slidingWindow,
      chunks: tokens.prefillChunks,
    },
    count,
    ...attentionWork(shard, { numQueries: numNewTokens, numPairs, numKvTokens, kvTokenBytes }),
  };
}

function decodeOperator(name: string, layer: AttentionLayer, tokens: AttentionTokens): Operator {
  const { attention, shard, count, kvDtype, kvTokenBytes } = layer;
  const { slidingWindow } = attention;
  const numRequests = tokens.decodeContextTokens.length;
  let sumContextTokens = 0;
  for (const contextTokens of tokens.decodeContextTokens) {
    sumContextTokens += decodeKvTokens(contextTokens, slidingWindow);
  }
  return {
    name,
    dims: {
      category: "attention-decode",
      numHeads: shard.numHeads,
      numKvHeads: shard.numKvHeads,
      headDim: shard.headDim,
      kvDtype,
      slidingWindow,
      numRequests,
      sumContextTokens,
    },
    count,
    ...attentionWork(shard, {
      numQueries: numRequests,
      numPairs: sumContextTokens,
      numKvTokens: sumContextTokens,
      kvTokenBytes,
    }),
  };
}

/** Two products (QKᵀ and PV) of 2 FLOPs per pair, head and dim; queries in, outputs out, KV read once, new KV written. */
function attentionWork(
  shard: AttentionShard,
  work: { numQueries: number; numPairs: number; numKvTokens: number; kvTokenBytes: number },
) {
  const { numQueries, numPairs, numKvTokens, kvTokenBytes } = work;
  return {
    inputShape: [numQueries, shard.numHeads, shard.headDim],
    outputShape: [numQueries, shard.numHeads, shard.headDim],
    flops: 4 * shard.outputSize * numPairs,
    weightBytes: 0,
    activationBytes: 2 * numQueries * shard.outputSize * ACTIVATION_BYTES,
    kvReadBytes: numKvTokens * kvTokenBytes,
    kvWriteBytes: numQueries * kvTokenBytes,
  };
}
