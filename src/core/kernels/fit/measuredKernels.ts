import type { KvDtype, WeightDtype } from "../../units/dtype.js";
import { REFERENCE_HEAD_DIM } from "../decodeAttentionKernel.js";
import type { AttentionHeads, KernelTableSet, TableRow } from "../tables/kernelTable.js";
import { cleanRows, type MeasuredRow } from "./measuredRow.js";

/** Measurements of one family and element type. */
export interface MeasuredFamily {
  /** What was measured, with which engine, as a fit reports it. */
  readonly table: string;
  /** Cleaned. */
  readonly rows: readonly MeasuredRow[];
  /** Before cleaning. */
  readonly numTableRows: number;
}

/** Element types that have parameters of their own; fp16 counts as bf16. */
export type FittedWeightDtype = Exclude<WeightDtype, "fp16">;
export type FittedKvDtype = Exclude<KvDtype, "fp16">;

/** What a GPU's efficiencies are fitted to. */
export interface MeasuredKernels {
  /** Rows (m, n, k). */
  readonly gemm: Readonly<Partial<Record<FittedWeightDtype, MeasuredFamily>>>;
  /** Rows (tokens, experts, local experts, topK, hidden size, intermediate size per GPU). */
  readonly groupedGemm: Readonly<Partial<Record<FittedWeightDtype, MeasuredFamily>>>;
  /** Rows (requests, context, heads, KV heads). */
  readonly decodeAttention: Readonly<Partial<Record<FittedKvDtype, MeasuredFamily>>>;
  /** Rows (prompts, new tokens, heads, KV heads, cached tokens). */
  readonly prefillAttention: Readonly<Partial<Record<FittedKvDtype, MeasuredFamily>>>;
}

/** Narrower shards than this occur in no model that vLLM serves. */
const LEAST_EXPERT_WIDTH = 128;

/**
 * The rows of a GPU's tables that its efficiencies can be fitted to: measured ones; attention of the head size that the
 * formulas refer to; experts that are not spread over GPUs.
 * @param tableName name of a family's tables in the fit's report
 */
export function measuredKernels(
  tables: KernelTableSet,
  tableName: (family: "gemm" | "grouped_gemm" | "mha/decode" | "mha/prefill") => string,
): MeasuredKernels {
  const ofReferenceHeads = ({ headDim }: AttentionHeads) => headDim === REFERENCE_HEAD_DIM;
  return {
    gemm: byDtype(tables.gemm, tableName("gemm"), [0], (row) => ({
      dtype: fittedDtype(row.dtype),
      dims: [row.m, row.n, row.k],
      shapeKey: `${row.n}x${row.k}`,
    })),
    groupedGemm: byDtype(
      tables.groupedGemm.filter(
        (row) => row.numLocalExperts === row.numExperts && row.intermediateSize >= LEAST_EXPERT_WIDTH,
      ),
      tableName("grouped_gemm"),
      [0],
      (row) => ({
        dtype: fittedDtype(row.dtype),
        dims: [row.numTokens, row.numExperts, row.numLocalExperts, row.topK, row.hiddenSize, row.intermediateSize],
        shapeKey: `${row.hiddenSize}x${row.intermediateSize}x${row.numExperts}`,
      }),
    ),
    decodeAttention: byDtype(
      tables.decodeAttention.filter(ofReferenceHeads),
      tableName("mha/decode"),
      [1, 0],
      (row) => ({
        dtype: fittedDtype(row.kvDtype),
        dims: [row.batchSize, row.kvLen, row.numHeads, row.numKvHeads],
        shapeKey: headsKey(row),
      }),
    ),
    prefillAttention: byDtype(
      tables.prefillAttention.filter(ofReferenceHeads),
      tableName("mha/prefill"),
      [1, 0],
      (row) => ({
        dtype: fittedDtype(row.kvDtype),
        dims: [row.batchSize, row.seqLen, row.numHeads, row.numKvHeads, row.contextLen],
        shapeKey: headsKey(row),
      }),
    ),
  };
}

function fittedDtype<Dtype extends string>(dtype: Dtype): Exclude<Dtype, "fp16"> | "bf16" {
  return dtype === "fp16" ? "bf16" : (dtype as Exclude<Dtype, "fp16">);
}

function headsKey({ numHeads, numKvHeads }: AttentionHeads): string {
  return `${numHeads}x${numKvHeads}`;
}

function byDtype<Row extends TableRow, Dtype extends string>(
  rows: readonly Row[],
  table: string,
  axes: readonly number[],
  shapeOf: (row: Row) => Pick<MeasuredRow, "dims" | "shapeKey"> & { readonly dtype: Dtype },
): Partial<Record<Dtype, MeasuredFamily>> {
  const groups = new Map<Dtype, MeasuredRow[]>();
  for (const row of rows) {
    if (row.source !== "measured") continue;
    const { dtype, ...shape } = shapeOf(row);
    const group = groups.get(dtype) ?? [];
    groups.set(dtype, group);
    group.push({ ...shape, us: row.latencyUs });
  }
  const families = [...groups].map(([dtype, measured]): [Dtype, MeasuredFamily] => [
    dtype,
    { table, rows: cleanRows(measured, axes), numTableRows: measured.length },
  ]);
  return Object.fromEntries(families) as Partial<Record<Dtype, MeasuredFamily>>;
}
