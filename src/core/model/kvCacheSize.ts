import { InvariantError } from "../errors/simulationError.js";
import { DTYPE_BYTES, type KvDtype } from "../units/dtype.js";
import { attentionKinds } from "./layerKinds.js";
import type { ModelArchitecture } from "./modelArchitecture.js";
import { kvHeadsPerGpu } from "./sharding.js";

/**
 * What one layer keeps per token; the parser accepts the first two:
 * heads of K and V; one latent vector (MLA), never divided by TP; or the packed fp8 latent of sparse MLA.
 */
export type KvLayer =
  | { readonly kind: "gqa"; readonly numKvHeads: number; readonly headDim: number }
  | { readonly kind: "mla"; readonly kvLoraRank: number; readonly ropeHeadDim: number }
  | { readonly kind: "sparse-mla-fp8" };

/** 512 fp8 latent values, 4 fp32 scales, 64 bf16 rope values: vLLM's `fp8_ds_mla` layout. */
const SPARSE_MLA_FP8_BYTES_PER_TOKEN = 656;

/** Bytes one token takes in one KV head: a key and a value. */
export function kvHeadBytesPerToken(headDim: number, kvDtype: KvDtype): number {
  return 2 * headDim * DTYPE_BYTES[kvDtype];
}

/** Bytes one token takes in the KV cache of one layer on one GPU: the only KV size formula. */
export function kvBytesPerTokenOfLayer(layer: KvLayer, tensorParallelSize: number, kvDtype: KvDtype): number {
  switch (layer.kind) {
    case "gqa":
      return kvHeadsPerGpu(layer.numKvHeads, tensorParallelSize) * kvHeadBytesPerToken(layer.headDim, kvDtype);
    case "mla":
      return (layer.kvLoraRank + layer.ropeHeadDim) * DTYPE_BYTES[kvDtype];
    case "sparse-mla-fp8":
      return SPARSE_MLA_FP8_BYTES_PER_TOKEN;
  }
}

/** Bytes of one KV block of one layer on one GPU. */
export function kvPageBytes(
  layer: KvLayer,
  options: { readonly blockSize: number; readonly tensorParallelSize: number; readonly kvDtype: KvDtype },
): number {
  return options.blockSize * kvBytesPerTokenOfLayer(layer, options.tensorParallelSize, options.kvDtype);
}

/** Bytes one token takes in the KV cache of all layers on one GPU, windows not yet reached. */
export function kvBytesPerToken(architecture: ModelArchitecture, tensorParallelSize: number, kvDtype: KvDtype): number {
  return attentionKinds(architecture).reduce(
    (sum, { attention, count }) => sum + count * kvBytesPerTokenOfLayer(attention, tensorParallelSize, kvDtype),
    0,
  );
}

/** Layers that share one attention type, as the KV cache manager groups them. */
export interface KvLayerType {
  /** Sliding window in tokens; 0 = full attention. */
  readonly slidingWindow: number;
  readonly numLayers: number;
  readonly pageBytes: number;
}

/** How a block pool is laid out: every group of layers draws its own blocks from one pool. */
export interface KvCacheLayout {
  /** Bytes of one block of the pool on one GPU. */
  readonly bytesPerBlock: number;
  /** Layers one block holds pages of. */
  readonly layersCounted: number;
  /** One entry per attention type, with the number of groups (blocks drawn per `blockSize` tokens). */
  readonly groups: readonly { readonly slidingWindow: number; readonly numGroups: number }[];
}

/**
 * Splits layers into equal groups: as many layers as the rarest type has, or as the commonest where the two are
 * within a quarter of each other (then the rarer type is padded).
 * @see vLLM `vllm/v1/core/kv_cache_utils.py`, hybrid KV cache groups
 */
export function kvCacheLayout(types: readonly KvLayerType[]): KvCacheLayout {
  const first = types[0];
  if (first === undefined) throw new InvariantError("kvCacheLayout: no layers; please report this");
  if (types.some((type) => type.pageBytes !== first.pageBytes)) {
    throw new InvariantError("kvCacheLayout: page sizes differ between attention types; please report this");
  }
  const counts = types.map((type) => type.numLayers);
  const fewest = Math.min(...counts);
  const most = Math.max(...counts);
  const layersCounted = most < 1.25 * fewest ? most : fewest;
  return {
    bytesPerBlock: layersCounted * first.pageBytes,
    layersCounted,
    groups: types.map(({ slidingWindow, numLayers }) => ({
      slidingWindow,
      numGroups: Math.ceil(numLayers / layersCounted),
    })),
  };
}

/**
 * The layout with every layer in one group, windows ignored: vLLM with its hybrid KV cache manager off, and what the
 * simulated engine allocates. Takes the same room as the hybrid layout
 * for models without sliding layers, more for those with them.
 */
export function uniformKvCacheLayout(
  architecture: ModelArchitecture,
  options: { readonly blockSize: number; readonly tensorParallelSize: number; readonly kvDtype: KvDtype },
): KvCacheLayout {
  const kinds = attentionKinds(architecture);
  const bytesPerBlock = kinds.reduce((sum, { attention, count }) => sum + count * kvPageBytes(attention, options), 0);
  const layersCounted = kinds.reduce((sum, { count }) => sum + count, 0);
  return { bytesPerBlock, layersCounted, groups: [{ slidingWindow: 0, numGroups: 1 }] };
}

/**
 * Blocks one request needs to reach `numTokens` tokens, over all groups: vLLM's start-up check. A sliding group holds
 * its window plus one step's tokens, and one block more because the window need not start on a block's edge.
 */
export function blocksForTokens(
  layout: KvCacheLayout,
  numTokens: number,
  limits: { readonly blockSize: number; readonly maxNumBatchedTokens: number },
): number {
  return layout.groups.reduce((sum, { slidingWindow, numGroups }) => {
    if (slidingWindow === 0) return sum + numGroups * Math.ceil(numTokens / limits.blockSize);
    const kept = Math.min(numTokens, slidingWindow - 1 + limits.maxNumBatchedTokens);
    return sum + numGroups * (Math.ceil(kept / limits.blockSize) + 1);
  }, 0);
}
