import type { BenchFamily } from "./tableFamily.js";

/** A way to count the FLOPs of a row. */
export interface FlopConvention {
  readonly name: string;
  readonly flops: (numbers: Readonly<Record<string, number>>, shape: readonly number[]) => number;
}

/** An MFU column, the latency it was computed from, and the conventions seen for it, most usual first. */
export interface MfuColumn {
  readonly column: string;
  readonly latencyColumn: string;
  readonly conventions: readonly FlopConvention[];
  /** Whether the FLOPs depend on a routing that the row does not tell, so that it can only be matched on average. */
  readonly isApproximate: boolean;
}

type Numbers = Readonly<Record<string, number>>;

const GEMM: FlopConvention = { name: "2·m·k·n", flops: ({ m, k, n }) => 2 * m! * k! * n! };

const MHA_PREFILL: readonly FlopConvention[] = [
  { name: "causal half of 4·heads·dim·seq²", flops: (row, shape) => 2 * headWork(shape) * squaredLength(row) },
  {
    name: "4·heads·dim·causal pairs",
    flops: (row, shape) => 2 * headWork(shape) * squaredLength(row) * causalExcess(row),
  },
  { name: "all of 4·heads·dim·seq²", flops: (row, shape) => 4 * headWork(shape) * squaredLength(row) },
];

const MHA_DECODE: readonly FlopConvention[] = [
  {
    name: "4·heads·dim·kv·batch of one GPU",
    flops: (row, shape) => (4 * headWork(shape) * kvRows(row)) / (shape[3] ?? 1),
  },
  { name: "4·heads·dim·kv·batch of all GPUs", flops: (row, shape) => 4 * headWork(shape) * kvRows(row) },
];

/** Heads, no-RoPE head size (that of the values too), RoPE head size. */
const MLA_PREFILL: readonly FlopConvention[] = [
  {
    name: "causal half of 2·heads·(nope+rope+v)·seq²",
    flops: (row, [heads, nope, rope]) => heads! * (2 * nope! + rope!) * squaredLength(row),
  },
  {
    name: "all of 2·heads·(nope+rope+v)·seq²",
    flops: (row, [heads, nope, rope]) => 2 * heads! * (2 * nope! + rope!) * squaredLength(row),
  },
];

const MLA_DECODE: readonly FlopConvention[] = [
  {
    name: "2·heads·(2·latent+rope)·kv·batch",
    flops: (row, [heads, latent, rope]) => 2 * heads! * (2 * latent! + rope!) * kvRows(row),
  },
];

/** Head size of Q and K holds 64 of RoPE; values have the rest. */
const DSA_ROPE = 64;

const DSA_PREFILL: readonly FlopConvention[] = [
  {
    name: "2·heads·(qk+v)·topk·queries",
    flops: ({ s_q }, [heads, dim, topk]) => 2 * heads! * (2 * dim! - DSA_ROPE) * topk! * s_q!,
  },
];

const DSA_DECODE: readonly FlopConvention[] = [
  {
    name: "2·heads·(qk+v)·topk·batch",
    flops: ({ batch_size }, [heads, dim, topk]) => 2 * heads! * (2 * dim! - DSA_ROPE) * topk! * batch_size!,
  },
];

const LOGITS_PREFILL: readonly FlopConvention[] = [
  {
    name: "2·heads·dim·causal pairs",
    flops: ({ s_q, s_kv }, [heads, dim]) => 2 * heads! * dim! * (s_q! * s_kv! - (s_q! * (s_q! - 1)) / 2),
  },
];

const LOGITS_DECODE: readonly FlopConvention[] = [
  {
    name: "2·heads·dim·kv·batch·next_n",
    flops: ({ batchsize, next_n, s_kv }, [heads, dim]) => 2 * heads! * dim! * s_kv! * next_n! * batchsize!,
  },
];

const EXPERT_UP: readonly FlopConvention[] = [
  { name: "4·rows·hidden·intermediate", flops: (row) => 4 * expertRows(row) * expertElements(row) },
];
const EXPERT_DOWN: readonly FlopConvention[] = [
  { name: "2·rows·hidden·intermediate", flops: (row) => 2 * expertRows(row) * expertElements(row) },
];

function headWork([heads, , dim]: readonly number[]): number {
  return heads! * dim!;
}

function squaredLength({ seq_len, batch_size }: Numbers): number {
  return (batch_size ?? 1) * seq_len! ** 2;
}

/** Query-key pairs of a causal prompt, the diagonal included, over half of all pairs. */
function causalExcess({ seq_len }: Numbers): number {
  return 1 + 1 / seq_len!;
}

function kvRows({ batch_size, kv_len }: Numbers): number {
  return batch_size! * kv_len!;
}

/** Rows of the expert products on this GPU, as many as the routing sends on average. */
function expertRows(row: Numbers): number {
  const tokens = (row.seq_len_per_gpu ?? row.batch_size_per_gpu)! * row.num_gpus!;
  return (tokens * row.topk! * row.num_local_experts!) / row.num_experts!;
}

function expertElements({ hidden_size, intermediate_size }: Numbers): number {
  return hidden_size! * intermediate_size!;
}

const exact = (conventions: readonly FlopConvention[]): MfuColumn[] => [
  { column: "mfu", latencyColumn: "latency_us", conventions, isApproximate: false },
];

const EXPERTS: readonly MfuColumn[] = [
  { column: "up_mfu", latencyColumn: "up_proj_us", conventions: EXPERT_UP, isApproximate: true },
  { column: "down_mfu", latencyColumn: "down_proj_us", conventions: EXPERT_DOWN, isApproximate: true },
];

/**
 * What the published benchmarks of each family divide by their peak.
 * @see InferSim `kernel_benchmark/` (flops helpers of each script)
 */
export const MFU_COLUMNS: Readonly<Record<BenchFamily, readonly MfuColumn[]>> = {
  gemm: exact([GEMM]),
  "grouped_gemm/prefill": EXPERTS,
  "grouped_gemm/decode": EXPERTS,
  "mha/prefill": exact(MHA_PREFILL),
  "mha/decode": exact(MHA_DECODE),
  "mla/prefill": exact(MLA_PREFILL),
  "mla/decode": exact(MLA_DECODE),
  "gdn/prefill": [],
  "gdn/decode": [],
  "dsa/prefill/attn": exact(DSA_PREFILL),
  "dsa/prefill/logits": exact(LOGITS_PREFILL),
  "dsa/decode/attn": exact(DSA_DECODE),
  "dsa/decode/logits": exact(LOGITS_DECODE),
  all_reduce: [],
};
