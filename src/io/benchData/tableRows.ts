import { DataFileError } from "../../core/errors/simulationError.js";
import type { GpuSpec } from "../../core/hardware/gpuSpec.js";
import type {
  AllReduceRow,
  AttentionHeads,
  DecodeAttentionRow,
  GemmRow,
  GroupedGemmRow,
  PrefillAttentionRow,
  TableRow,
} from "../../core/kernels/tables/kernelTable.js";
import { kvHeadsPerGpu } from "../../core/model/sharding.js";
import type { KvDtype, WeightDtype } from "../../core/units/dtype.js";
import { dtypeOfName, kvDtypeOfName, type ParsedRow } from "./parseTable.js";
import { shapeOfName } from "./tableFamily.js";
import type { TableFile } from "./tableFiles.js";
import { fasterDtype } from "./undeclaredDtype.js";

/** Whether the row was written by an efficiency model. */
function sourceOf({ texts }: ParsedRow): TableRow["source"] {
  return texts.source?.startsWith("modelled") ? "modelled" : "measured";
}

/** A table without dtype column: InferSim's are fp8 kernels, which their speed shows. */
function dtypeOf({ texts }: ParsedRow, undeclared: WeightDtype): WeightDtype {
  return texts.dtype === undefined ? undeclared : dtypeOfName(texts.dtype)!;
}

export function gemmRows(rows: readonly ParsedRow[], gpu: GpuSpec): GemmRow[] {
  const undeclared = fasterDtype("gemm", rows, gpu);
  return rows.map((row) => ({
    m: row.numbers.m!,
    k: row.numbers.k!,
    n: row.numbers.n!,
    dtype: dtypeOf(row, undeclared),
    latencyUs: row.numbers.latency_us!,
    source: sourceOf(row),
  }));
}

/** `num_gpus` GPUs share the experts, each bringing its own tokens. */
export function groupedGemmRows(
  family: TableFile["family"],
  rows: readonly ParsedRow[],
  gpu: GpuSpec,
): GroupedGemmRow[] {
  const undeclared = fasterDtype(family, rows, gpu);
  return rows.map((row) => {
    const { numbers } = row;
    return {
      numTokens: (numbers.seq_len_per_gpu ?? numbers.batch_size_per_gpu)! * numbers.num_gpus!,
      numExperts: numbers.num_experts!,
      numLocalExperts: numbers.num_local_experts!,
      topK: numbers.topk!,
      hiddenSize: numbers.hidden_size!,
      intermediateSize: numbers.intermediate_size!,
      dtype: dtypeOf(row, undeclared),
      latencyUs: groupedLatencyUs(row),
      source: sourceOf(row),
    };
  });
}

/** One fused latency, or the two products in a row; NaN where the row has neither. */
export function groupedLatencyUs({ numbers }: ParsedRow): number {
  return numbers.latency_us ?? (numbers.up_proj_us ?? Number.NaN) + (numbers.down_proj_us ?? Number.NaN);
}

export function prefillRows(file: TableFile, rows: readonly ParsedRow[]): PrefillAttentionRow[] {
  const heads = headsOf(file);
  return rows.map((row) => ({
    ...heads,
    kvDtype: kvDtypeOf(file, row),
    seqLen: row.numbers.seq_len!,
    contextLen: row.numbers.context_len ?? 0,
    batchSize: row.numbers.batch_size ?? 1,
    latencyUs: row.numbers.latency_us!,
    source: sourceOf(row),
  }));
}

export function decodeRows(file: TableFile, rows: readonly ParsedRow[]): DecodeAttentionRow[] {
  const heads = headsOf(file);
  return rows.map((row) => ({
    ...heads,
    kvDtype: kvDtypeOf(file, row),
    batchSize: row.numbers.batch_size!,
    kvLen: row.numbers.kv_len!,
    latencyUs: row.numbers.latency_us!,
    source: sourceOf(row),
  }));
}

export function allReduceRows(rows: readonly ParsedRow[]): AllReduceRow[] {
  return rows.map((row) => ({
    numRanks: row.numbers.num_gpus!,
    messageBytes: row.numbers.message_bytes!,
    latencyUs: row.numbers.latency_us!,
    source: sourceOf(row),
  }));
}

/**
 * Heads on one GPU: the name counts the model's, `-tpN` says over how many GPUs they are split.
 * @throws DataFileError when the name does not say
 */
function headsOf({ file, family, name }: TableFile): Omit<AttentionHeads, "kvDtype"> {
  const shape = shapeOfName(family, name);
  const [numHeads, numKvHeads, headDim, tensorParallelSize] = shape ?? [];
  if (numHeads === undefined || numKvHeads === undefined || headDim === undefined) {
    throw new DataFileError({ file }, "the name must be <heads>-<kvheads>-<dim>[-tpN].csv");
  }
  const tp = tensorParallelSize ?? 1;
  if (numHeads % tp !== 0 || numHeads < numKvHeads) {
    throw new DataFileError({ file }, `${numHeads} heads cannot be split over ${tp} GPUs with ${numKvHeads} KV heads`);
  }
  return { numHeads: numHeads / tp, numKvHeads: kvHeadsPerGpu(numKvHeads, tp), headDim };
}

function kvDtypeOf({ file }: TableFile, { row, texts }: ParsedRow): KvDtype {
  const name = texts.kv_dtype ?? texts.dtype!;
  const dtype = kvDtypeOfName(name);
  if (dtype === undefined)
    throw new DataFileError({ file, row, column: "kv_dtype" }, `got ${name}; must be bf16, fp16 or fp8`);
  return dtype;
}
