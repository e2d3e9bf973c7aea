import { ConfigError, type ConfigIssue } from "../errors/simulationError.js";
import type { GqaAttention, MlaAttention, ModelArchitecture } from "./modelArchitecture.js";

/** How a model is spread over GPUs. */
export interface Parallelism {
  /** GPUs that share every layer. */
  readonly tensorParallelSize: number;
}

/** vLLM pads the vocabulary to a multiple of this before splitting it. */
const VOCAB_PADDING = 64;

/** Rows of the embedding table and columns of the LM head on one GPU. */
export function vocabPerGpu(vocabSize: number, tensorParallelSize: number): number {
  return Math.ceil((Math.ceil(vocabSize / VOCAB_PADDING) * VOCAB_PADDING) / tensorParallelSize);
}

/** KV heads on one GPU: split, and replicated once there are more GPUs than heads. */
export function kvHeadsPerGpu(numKvHeads: number, tensorParallelSize: number): number {
  return Math.max(1, Math.floor(numKvHeads / tensorParallelSize));
}

/** Sizes of one attention layer on one GPU. */
export interface AttentionShard {
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  /** Columns of the fused QKV projection. */
  readonly qkvSize: number;
  /** Rows of the output projection. */
  readonly outputSize: number;
}

export function shardAttention(attention: GqaAttention, tensorParallelSize: number): AttentionShard {
  const numHeads = attention.numHeads / tensorParallelSize;
  const numKvHeads = kvHeadsPerGpu(attention.numKvHeads, tensorParallelSize);
  const { headDim } = attention;
  return {
    numHeads,
    numKvHeads,
    headDim,
    qkvSize: (numHeads + 2 * numKvHeads) * headDim,
    outputSize: numHeads * headDim,
  };
}

/** Sizes of one latent attention layer on one GPU: heads are split, latents are whole on every GPU. */
export interface MlaShard {
  readonly numHeads: number;
  /** Columns of the replicated projection of the hidden state: latents of queries (if any), keys and values, rotary key. */
  readonly latentSize: number;
  /** Columns of the query projection. */
  readonly querySize: number;
  /** Columns of the projection of the latent to keys (without rotary part) and values. */
  readonly kvExpandedSize: number;
  /** Rows of the output projection. */
  readonly outputSize: number;
}

export function shardMla(attention: MlaAttention, tensorParallelSize: number): MlaShard {
  const { qLoraRank, kvLoraRank, nopeHeadDim, ropeHeadDim, valueHeadDim } = attention;
  const numHeads = attention.numHeads / tensorParallelSize;
  return {
    numHeads,
    latentSize: qLoraRank + kvLoraRank + ropeHeadDim,
    querySize: numHeads * (nopeHeadDim + ropeHeadDim),
    kvExpandedSize: numHeads * (nopeHeadDim + valueHeadDim),
    outputSize: numHeads * valueHeadDim,
  };
}

/**
 * Checks that the model can be split over so many GPUs.
 * @throws ConfigError naming each size that does not divide
 */
export function requireShardable(architecture: ModelArchitecture, tensorParallelSize: number): void {
  const issues = new Map<string, ConfigIssue>();
  const requireMultiple = (what: string, value: number) => {
    if (value % tensorParallelSize === 0) return;
    issues.set(what, {
      path: "engine.tensorParallelSize",
      received: String(tensorParallelSize),
      allowed: `must divide the ${what} of ${architecture.id} (${value})`,
    });
  };
  requireMultiple("padded vocabulary", vocabPerGpu(architecture.vocabSize, 1));
  for (const { attention, intermediateSize, moe } of architecture.layerGroups) {
    requireMultiple("attention heads", attention.numHeads);
    if (attention.kind === "gqa" && tensorParallelSize % attention.numKvHeads !== 0) {
      requireMultiple("KV heads", attention.numKvHeads);
    }
    requireMultiple("MLP intermediate size", intermediateSize);
    requireMultiple("expert intermediate size", moe?.expertIntermediateSize ?? 0);
    requireMultiple("shared expert intermediate size", moe?.sharedIntermediateSize ?? 0);
  }
  if (issues.size > 0) throw new ConfigError([...issues.values()]);
}
