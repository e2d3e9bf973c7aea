import { cleanRows, type MeasuredRow } from "../../src/core/kernels/fit/measuredRow.js";
import { numberIn, readTable, type TableRow } from "./readTable.js";

const US_PER_MS = 1e3;
/** Narrower shards than this occur in no model served by vLLM. */
const MIN_EXPERT_WIDTH = 128;

/** dtype names of the tables. */
const TABLE_DTYPE = { bf16: "bfloat16", fp8: "fp8", int4: "int4_wo" } as const;

/** Cleaned rows of one family, and how many the table had before cleaning. */
export interface FamilyRows {
  readonly rows: readonly MeasuredRow[];
  readonly numTableRows: number;
}

/** Rows (m, n, k). */
export async function gemmRows(
  root: string,
  system: string,
  version: string,
  dtype: "bf16" | "fp8",
): Promise<FamilyRows> {
  const table = await readTable(root, `${system}/gemm/vllm/${version}/gemm_perf.parquet`);
  const wanted = table.filter((row) => row.gemm_dtype === TABLE_DTYPE[dtype]);
  return family(wanted, [0], (row) => ({
    dims: [numberIn(row, "m"), numberIn(row, "n"), numberIn(row, "k")],
    shapeKey: `${row.n}x${row.k}`,
  }));
}

/** Rows (batch, context or new tokens, heads, KV heads), head size 128, full attention. */
export async function attentionRows(
  root: string,
  system: string,
  version: string,
  phase: "generation" | "context",
  dtype: "bf16" | "fp8",
): Promise<FamilyRows> {
  const table = await readTable(root, `${system}/attention/vllm/${version}/${phase}_attention_perf.parquet`);
  const wanted = table.filter(
    (row) => row.kv_cache_dtype === TABLE_DTYPE[dtype] && row.head_dim === 128 && (row.window_size ?? 0) === 0,
  );
  return family(wanted, [1, 0], (row) => ({
    dims: [
      numberIn(row, "batch_size"),
      phase === "generation" ? numberIn(row, "step") + 1 : numberIn(row, "isl"),
      numberIn(row, "num_heads"),
      numberIn(row, "num_key_value_heads"),
    ],
    shapeKey: `${row.num_heads}x${row.num_key_value_heads}`,
  }));
}

/** Rows (tokens, experts, local experts, topK, hidden size, intermediate size per GPU); balanced routing, no EP. */
export async function groupedGemmRows(
  root: string,
  system: string,
  version: string,
  dtype: "bf16" | "fp8" | "int4",
): Promise<FamilyRows> {
  const table = await readTable(root, `${system}/moe/vllm/${version}/moe_perf.parquet`);
  const width = (row: TableRow): number => numberIn(row, "inter_size") / numberIn(row, "moe_tp_size");
  const ofDtype = table.filter((row) => row.moe_dtype === TABLE_DTYPE[dtype] && row.moe_ep_size === 1);
  const balanced = ofDtype.filter((row) => row.distribution === "balanced");
  const wanted = (balanced.length > 0 ? balanced : ofDtype).filter((row) => width(row) >= MIN_EXPERT_WIDTH);
  return family(wanted, [0], (row) => ({
    dims: [
      numberIn(row, "num_tokens"),
      numberIn(row, "num_experts"),
      numberIn(row, "num_experts"),
      numberIn(row, "topk"),
      numberIn(row, "hidden_size"),
      width(row),
    ],
    shapeKey: `${row.hidden_size}x${row.inter_size}x${row.moe_tp_size}x${row.num_experts}`,
  }));
}

/**
 * The communication tables' `message_size` counts 16-bit elements, not bytes. The custom kernel's too: its large rows
 * equal NCCL's of the same `message_size`, and vLLM's one-shot limits (512 KiB for 4 ranks, 256 KiB for 8) show at half
 * those numbers.
 */
const BYTES_PER_MESSAGE_UNIT = 2;

/** (ranks, message bytes) of vLLM's custom all-reduce inside a CUDA graph. */
export async function customAllReduceRows(root: string, system: string, version: string): Promise<FamilyRows> {
  const table = await readTable(root, `${system}/comm/vllm/${version}/custom_allreduce_perf.parquet`);
  const wanted = table.filter((row) => row.backend === "vllm_graph");
  return family(wanted, [1], (row) => ({
    dims: [numberIn(row, "num_gpus"), BYTES_PER_MESSAGE_UNIT * numberIn(row, "message_size")],
    shapeKey: `${row.message_size}`,
  }));
}

/** (ranks, message bytes) of NCCL's all-reduce. */
export async function ncclAllReduceRows(root: string, system: string, version: string): Promise<FamilyRows> {
  const table = await readTable(root, `${system}/comm/nccl/${version}/nccl_perf.parquet`);
  const wanted = table.filter((row) => row.op_name === "all_reduce" && row.nccl_dtype === "half");
  return family(wanted, [1], (row) => ({
    dims: [numberIn(row, "num_gpus"), BYTES_PER_MESSAGE_UNIT * numberIn(row, "message_size")],
    shapeKey: `${row.message_size}`,
  }));
}

function family(
  table: readonly TableRow[],
  axes: readonly number[],
  shape: (row: TableRow) => Pick<MeasuredRow, "dims" | "shapeKey">,
): FamilyRows {
  const rows = table.map((row) => ({ ...shape(row), us: numberIn(row, "latency") * US_PER_MS }));
  return { rows: cleanRows(rows, axes), numTableRows: table.length };
}
