import type { KvDtype, WeightDtype } from "../units/dtype.js";

/** What kind of kernel runs an operator; decides which efficiency prices it. */
export type OperatorCategory = OperatorDims["category"];

/** Prefill work of one request in one step. */
export interface PrefillChunk {
  /** Tokens computed in this step, ≥ 1. */
  readonly newTokens: number;
  /** Tokens whose KV is already in the cache, ≥ 0. */
  readonly contextTokens: number;
}

/**
 * The token shapes of one engine step, before padding: all an operator list depends on besides the model.
 * Decode rows are summed because no operator needs them one by one (a sliding window caps them first).
 */
export interface TokenShapes {
  /** Rows of the linear layers: all scheduled tokens, padded to a CUDA graph size where one applies. */
  readonly numTokens: number;
  /** Scheduled tokens before padding. */
  readonly numUnpaddedTokens: number;
  /** Positions whose logits are computed. */
  readonly numSampledTokens: number;
  readonly prefillChunks: readonly PrefillChunk[];
  /** Context lengths of the decode requests, including the token being computed. */
  readonly decodeContextTokens: readonly number[];
}

/** Shape of one kernel on one GPU (already divided by TP). */
export type OperatorDims =
  /** `[m,k] × [k,n]`; weights of `weightDtype`. */
  | { category: "gemm"; m: number; k: number; n: number; weightDtype: WeightDtype }
  /** Fused experts: gate-up, activation and down of the top-k experts, on this GPU's shard. */
  | {
      category: "grouped-gemm";
      numTokens: number;
      numExperts: number;
      /** Experts whose weights live on this GPU (numExperts / EP). */
      numLocalExperts: number;
      topK: number;
      hiddenSize: number;
      /** Intermediate size of one expert on this GPU (divided by TP). */
      intermediateSize: number;
      weightDtype: WeightDtype;
    }
  | {
      category: "attention-prefill";
      numHeads: number;
      numKvHeads: number;
      headDim: number;
      kvDtype: KvDtype;
      /** Sliding window in tokens; 0 = full attention. */
      slidingWindow: number;
      chunks: readonly PrefillChunk[];
    }
  | {
      category: "attention-decode";
      numHeads: number;
      numKvHeads: number;
      headDim: number;
      kvDtype: KvDtype;
      slidingWindow: number;
      numRequests: number;
      /** Σ over decode rows of KV tokens read (window applied). */
      sumContextTokens: number;
      /** Largest of those rows: no launch ends before its longest row would alone. */
      maxContextTokens: number;
    }
  /** Multi-head attention over keys and values expanded from latents. */
  | {
      category: "mla-prefill";
      numHeads: number;
      /** Size of a query or key head, rotary part included; values have their own. */
      queryHeadDim: number;
      valueHeadDim: number;
      chunks: readonly PrefillChunk[];
    }
  /** Attention over the latent cache, which all heads share. */
  | {
      category: "mla-decode";
      numHeads: number;
      kvLoraRank: number;
      ropeHeadDim: number;
      kvDtype: KvDtype;
      numRequests: number;
      sumContextTokens: number;
      maxContextTokens: number;
    }
  /** `numMatrices` products `[m,k] × [k,n]` in one launch, 16-bit weights. */
  | { category: "batched-gemm"; numMatrices: number; m: number; k: number; n: number }
  /** Memory-bound kernels: add+norm, RoPE, activation, router top-k, embedding gather. */
  | { category: "norm" | "rope" | "activation" | "elementwise"; numTokens: number }
  | { category: "collective"; collective: "all-reduce" | "all-gather"; numRanks: number; messageBytes: number }
  /** Sampling over `numRows × vocabSize` logits; `sortsLogits` when top-p or top-k makes vLLM sort them. */
  | { category: "sample"; numRows: number; vocabSize: number; sortsLogits: boolean };

/**
 * One operator of the model on one GPU: the single place where FLOPs and bytes are counted.
 * FLOPs and bytes are for ONE run on ONE GPU; multiply by `count` for the step.
 */
export interface Operator {
  /** The field's name for it: `qkv_proj`, `o_proj`, `gate_up_proj`, `down_proj`, `attention_decode`, `lm_head`, … */
  readonly name: string;
  readonly dims: OperatorDims;
  /** How often it runs in a step (layers of its kind). */
  readonly count: number;
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** Multiply and add count as two. */
  readonly flops: number;
  readonly weightBytes: number;
  /** Activations read and written. */
  readonly activationBytes: number;
  readonly kvReadBytes: number;
  readonly kvWriteBytes: number;
}

/** All bytes one run must move. */
export function operatorBytes(operator: Operator): number {
  return operator.weightBytes + operator.activationBytes + operator.kvReadBytes + operator.kvWriteBytes;
}
