/** Kinds of tables in the layout. */
export type BenchFamily =
  | "gemm"
  | "grouped_gemm/prefill"
  | "grouped_gemm/decode"
  | "mha/prefill"
  | "mha/decode"
  | "mla/prefill"
  | "mla/decode"
  | "gdn/prefill"
  | "gdn/decode"
  | "dsa/prefill/attn"
  | "dsa/prefill/logits"
  | "dsa/decode/attn"
  | "dsa/decode/logits"
  | "all_reduce";

/** What a column may hold. `amount` is a number > 0, `count` a whole one; `offset` may be 0; `fraction` ≥ 0. */
export type ColumnKind = "count" | "amount" | "offset" | "fraction" | "dtype" | "text";

export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
  /** Columns of the published layouts; the others may be missing. */
  readonly isRequired: boolean;
}

/** Columns of a family, in the order the layout writes them. */
export interface FamilyColumns {
  readonly columns: readonly Column[];
  /** Columns that tell rows apart. */
  readonly keys: readonly string[];
  /** The key that latency must not fall along. */
  readonly sweep: string;
  /** Columns that add up to the kernel's µs; alternatives in order of preference. */
  readonly latencies: readonly (readonly string[])[];
}

const required = (kind: ColumnKind, ...names: string[]): Column[] =>
  names.map((name) => ({ name, kind, isRequired: true }));
const optional = (kind: ColumnKind, ...names: string[]): Column[] =>
  names.map((name) => ({ name, kind, isRequired: false }));

const PROVENANCE = [...optional("text", "source"), ...optional("fraction", "repeatability_fraction")];
const LATENCY = [...required("amount", "latency_us"), ...optional("fraction", "mfu")];

function groupedGemm(tokensColumn: string): FamilyColumns {
  const shape = ["num_experts", "num_gpus", "num_local_experts", "topk", "hidden_size", "intermediate_size"];
  return {
    columns: [
      ...required("count", ...shape),
      ...required("amount", tokensColumn),
      ...optional("amount", "tokens_per_expert", "up_proj_us"),
      ...optional("fraction", "up_mfu"),
      ...optional("amount", "down_proj_us"),
      ...optional("fraction", "down_mfu"),
      ...optional("amount", "latency_us"),
      ...optional("dtype", "dtype"),
      ...PROVENANCE,
    ],
    keys: [...shape, tokensColumn, "dtype"],
    sweep: tokensColumn,
    latencies: [["latency_us"], ["up_proj_us", "down_proj_us"]],
  };
}

const PREFILL: FamilyColumns = {
  columns: [
    ...required("dtype", "dtype"),
    ...required("count", "seq_len"),
    ...LATENCY,
    ...optional("dtype", "kv_dtype"),
    ...optional("count", "batch_size"),
    ...optional("offset", "context_len"),
    ...PROVENANCE,
  ],
  keys: ["dtype", "kv_dtype", "batch_size", "context_len", "seq_len"],
  sweep: "seq_len",
  latencies: [["latency_us"]],
};

const DECODE: FamilyColumns = {
  columns: [
    ...required("dtype", "dtype", "kv_dtype"),
    ...required("count", "batch_size", "kv_len"),
    ...LATENCY,
    ...PROVENANCE,
  ],
  keys: ["dtype", "kv_dtype", "batch_size", "kv_len"],
  sweep: "kv_len",
  latencies: [["latency_us"]],
};

function stages(sweep: string, ...names: string[]): FamilyColumns {
  const columns = [...required("count", sweep), ...required("amount", ...names), ...PROVENANCE];
  return { columns, keys: [sweep], sweep, latencies: [names] };
}

/** Columns per family, as InferSim's published tables have them; unknown extra columns are let through. */
export const FAMILY_COLUMNS: Readonly<Record<BenchFamily, FamilyColumns>> = {
  gemm: {
    columns: [...required("count", "m", "k", "n"), ...LATENCY, ...optional("dtype", "dtype"), ...PROVENANCE],
    keys: ["dtype", "k", "n", "m"],
    sweep: "m",
    latencies: [["latency_us"]],
  },
  "grouped_gemm/prefill": groupedGemm("seq_len_per_gpu"),
  "grouped_gemm/decode": groupedGemm("batch_size_per_gpu"),
  "mha/prefill": PREFILL,
  "mha/decode": DECODE,
  "mla/prefill": PREFILL,
  "mla/decode": DECODE,
  "gdn/prefill": stages("seq_len", "conv", "kkt", "tril", "wu", "chunk_gdn", "chunk_o"),
  "gdn/decode": stages("batchsize", "conv", "gdn_update"),
  "dsa/prefill/attn": {
    columns: [...required("dtype", "dtype"), ...required("count", "s_q", "s_kv"), ...LATENCY, ...PROVENANCE],
    keys: ["dtype", "s_q", "s_kv"],
    sweep: "s_kv",
    latencies: [["latency_us"]],
  },
  "dsa/prefill/logits": {
    columns: [...required("count", "s_q", "s_kv"), ...LATENCY, ...PROVENANCE],
    keys: ["s_q", "s_kv"],
    sweep: "s_kv",
    latencies: [["latency_us"]],
  },
  "dsa/decode/attn": DECODE,
  "dsa/decode/logits": {
    columns: [...required("count", "batchsize", "next_n", "s_kv"), ...LATENCY, ...PROVENANCE],
    keys: ["batchsize", "next_n", "s_kv"],
    sweep: "s_kv",
    latencies: [["latency_us"]],
  },
  all_reduce: {
    columns: [
      ...required("count", "num_gpus", "message_bytes"),
      ...required("amount", "latency_us"),
      ...optional("dtype", "dtype"),
      ...PROVENANCE,
    ],
    keys: ["num_gpus", "message_bytes"],
    sweep: "message_bytes",
    latencies: [["latency_us"]],
  },
};

/** The family of a file by the parts of its path; null where the layout has no table. */
export function familyOfPath(parts: readonly string[]): BenchFamily | null {
  const [top, second] = parts;
  if (parts.length === 3 && (top === "gemm" || top === "all_reduce")) return top;
  if (parts.length !== 4 || (second !== "prefill" && second !== "decode")) return null;
  switch (top) {
    case "grouped_gemm":
    case "mha":
    case "mla":
    case "gdn":
      return `${top}/${second}`;
    case "dsa":
      return `dsa/${second}/${parts[3]?.startsWith("logits") ? "logits" : "attn"}`;
    default:
      return null;
  }
}

const SHAPE_NAMES: Partial<Record<BenchFamily, RegExp>> = {
  gemm: /^data$/,
  all_reduce: /^data$/,
  "grouped_gemm/prefill": /^data$/,
  "grouped_gemm/decode": /^data$/,
  "mha/prefill": /^(\d+)-(\d+)-(\d+)(?:-tp(\d+))?$/,
  "mha/decode": /^(\d+)-(\d+)-(\d+)(?:-tp(\d+))?$/,
  "mla/prefill": /^(\d+)-(\d+)-(\d+)$/,
  "mla/decode": /^(\d+)-(\d+)-(\d+)$/,
};

/**
 * The numbers a file's name carries: heads, KV heads, head size, TP (1 where absent) for attention; none for
 * `data.csv`. Null when the name does not fit its family, or has a zero in it.
 */
export function shapeOfName(family: BenchFamily, name: string): readonly number[] | null {
  const numbers = (SHAPE_NAMES[family] ?? /^[a-z-]*?(\d+)(?:-(\d+))?(?:-(\d+))?(?:-(\d+))?(?:-(\d+))?$/).exec(name);
  if (numbers === null) return null;
  const shape = numbers.slice(1).map((digits) => (digits === undefined ? 1 : Number(digits)));
  return shape.every((value) => value > 0) ? shape : null;
}
