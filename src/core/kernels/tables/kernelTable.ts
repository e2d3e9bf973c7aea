import type { KvDtype, WeightDtype } from "../../units/dtype.js";
import type { PriceSource } from "../kernelModel.js";

/** What every row of a kernel table says besides its shape. */
export interface TableRow {
  /** Median µs of one run on one GPU, > 0. */
  readonly latencyUs: number;
  /** `measured` on the GPU, or written by an efficiency model (`modelled`). */
  readonly source: Exclude<PriceSource, "transferred">;
}

/** `[m,k] × [k,n]`. */
export interface GemmRow extends TableRow {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly dtype: WeightDtype;
}

/** Fused experts of one layer: gate-up, activation and down together. */
export interface GroupedGemmRow extends TableRow {
  /** Tokens of all GPUs that share the experts. */
  readonly numTokens: number;
  readonly numExperts: number;
  readonly numLocalExperts: number;
  readonly topK: number;
  readonly hiddenSize: number;
  /** Of one expert on this GPU. */
  readonly intermediateSize: number;
  readonly dtype: WeightDtype;
}

/** Heads on one GPU. */
export interface AttentionHeads {
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly kvDtype: KvDtype;
}

/** Causal attention of `batchSize` prompts of `seqLen` tokens each behind `contextLen` cached ones. */
export interface PrefillAttentionRow extends TableRow, AttentionHeads {
  readonly seqLen: number;
  readonly contextLen: number;
  readonly batchSize: number;
}

/** One new token of each of `batchSize` requests over `kvLen` tokens, the new one included. */
export interface DecodeAttentionRow extends TableRow, AttentionHeads {
  readonly batchSize: number;
  readonly kvLen: number;
}

/** All-reduce of a tensor of `messageBytes` among `numRanks` GPUs. */
export interface AllReduceRow extends TableRow {
  readonly numRanks: number;
  readonly messageBytes: number;
}

/** Tables of one GPU; a family without rows is priced by the fallback model. */
export interface KernelTableSet {
  readonly gemm: readonly GemmRow[];
  readonly groupedGemm: readonly GroupedGemmRow[];
  readonly prefillAttention: readonly PrefillAttentionRow[];
  readonly decodeAttention: readonly DecodeAttentionRow[];
  readonly allReduce: readonly AllReduceRow[];
}

/** Kernel families that tables exist for. */
export type TableFamily = keyof KernelTableSet;

export const TABLE_FAMILIES: readonly TableFamily[] = [
  "gemm",
  "groupedGemm",
  "prefillAttention",
  "decodeAttention",
  "allReduce",
];

export const NO_TABLES: KernelTableSet = {
  gemm: [],
  groupedGemm: [],
  prefillAttention: [],
  decodeAttention: [],
  allReduce: [],
};
