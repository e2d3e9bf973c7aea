import type { WeightDtype } from "../units/dtype.js";

/** Mixture-of-experts part of a model. */
export interface MoeArchitecture {
  readonly numExperts: number;
  readonly numExpertsPerToken: number;
  /** Intermediate size of one routed expert. */
  readonly expertIntermediateSize: number;
  /** Shared experts' total intermediate size; 0 = none. */
  readonly sharedIntermediateSize: number;
  /** Whether the shared expert has its own sigmoid gate (Qwen2-MoE). */
  readonly hasSharedExpertGate: boolean;
}

/** Attention of one layer: keys and values by head, or one latent vector per token that all heads share. */
export type AttentionArchitecture = GqaAttention | MlaAttention;

/** Multi-head, grouped-query or multi-query attention. */
export interface GqaAttention {
  readonly kind: "gqa";
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly hasQkvBias: boolean;
  readonly hasOutputBias: boolean;
  /** RMSNorm on each head of Q and K (Qwen3, gemma-3). */
  readonly hasQkNorm: boolean;
  /** Sliding window in tokens; 0 = full attention. */
  readonly slidingWindow: number;
}

/**
 * Multi-head latent attention (DeepSeek-V2 and its kin): the cache keeps, per token, a latent vector that keys and values
 * of every head are projected from, and one rotary key that all heads share.
 */
export interface MlaAttention {
  readonly kind: "mla";
  readonly numHeads: number;
  /** Size of the latent that queries are projected from; 0 = queries are projected from the hidden state. */
  readonly qLoraRank: number;
  /** Size of the latent in the KV cache. */
  readonly kvLoraRank: number;
  /** Of a query or key head: the part without and the part with rotary positions. */
  readonly nopeHeadDim: number;
  readonly ropeHeadDim: number;
  readonly valueHeadDim: number;
  /** No model combines the two. */
  readonly slidingWindow: 0;
}

/** A run of layers with the same shape, e.g. `{count: 21, attention: sliding, moe: null}`. */
export interface LayerGroup {
  readonly count: number;
  readonly attention: AttentionArchitecture;
  /** Dense MLP's intermediate size; 0 where the layer is MoE only. */
  readonly intermediateSize: number;
  readonly moe: MoeArchitecture | null;
}

/** A model as its checkpoint's config.json describes it; nothing about hardware or serving. */
export interface ModelArchitecture {
  /** Hugging Face id, or the file's name for a user's own config. */
  readonly id: string;
  readonly hiddenSize: number;
  readonly vocabSize: number;
  readonly maxPositionEmbeddings: number;
  readonly tiesWordEmbeddings: boolean;
  /** dtype of the checkpoint. */
  readonly weightDtype: WeightDtype;
  /** Layers grouped by shape, order within the model not kept. */
  readonly layerGroups: readonly LayerGroup[];
  /** RMSNorms per layer over the hidden size: 2 (Llama) or 4 (gemma-2). */
  readonly numNormsPerLayer: number;
  /** 3 for gated MLPs (gate, up, down), 2 for plain ones. */
  readonly numMlpMatrices: 2 | 3;
  /**
   * Whether the checkpoint's generation_config ships top_p/top_k below 1/∞, so that vLLM sorts logits by default;
   * null when unknown.
   */
  readonly defaultSampling: { readonly topP: number | null; readonly topK: number | null } | null;
}
