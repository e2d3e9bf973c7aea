import type { TableVersions } from "./aiconfiguratorVersions.js";
import { numberCell, type ParquetRow, textCell } from "./parquetRows.js";
import { dtypeOfName, kvDtypeOfName } from "./parseTable.js";
import { microseconds, type TableText } from "./writeTable.js";

/** Tables converted from one parquet file: file path below the family's GPU folder → table. */
export interface ConvertedTables {
  readonly tables: ReadonlyMap<string, TableText>;
  /** Rows left out, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

/** One kind of parquet file and how it becomes tables. */
export interface AiconfiguratorFamily {
  readonly folder: string;
  readonly parquet: string;
  readonly columns: readonly string[];
  readonly optionalColumns: readonly string[];
  /** Where its versions stand in `TABLE_VERSIONS`. */
  readonly versions: keyof TableVersions;
  /** The element type that a version is chosen for; undefined where roofserve does not know it. */
  readonly dtypeOf: (row: ParquetRow) => string | undefined;
  readonly convert: (rows: readonly ParquetRow[], gpuFolder: string, source: string) => ConvertedTables;
}

const US_PER_MS = 1000;
/** The collector's message sizes count bf16 elements, whatever the column's name suggests. */
const BYTES_PER_MESSAGE_ELEMENT = 2;
/** Batches up to this many tokens are decode steps rather than prefills. */
const MAX_DECODE_TOKENS = 512;

/** Collects rows per file, merges repeated shapes to their median, and counts what is left out. */
class TableCollector {
  readonly #files = new Map<
    string,
    { columns: readonly string[]; rows: Map<string, { cells: (string | number)[]; latenciesUs: number[] }> }
  >();
  readonly #skipped: Record<string, number> = {};

  skip(reason: string): void {
    this.#skipped[reason] = (this.#skipped[reason] ?? 0) + 1;
  }

  /** @param cells key cells, in the order of the columns, without latency and source */
  add(path: string, columns: readonly string[], cells: (string | number)[], latencyMs: number): void {
    if (cells.some((cell) => typeof cell === "number" && !(cell > 0))) {
      this.skip("malformed shape");
      return;
    }
    if (!Number.isFinite(latencyMs) || latencyMs <= 0) {
      this.skip("latency missing or zero");
      return;
    }
    let file = this.#files.get(path);
    if (file === undefined) {
      file = { columns, rows: new Map() };
      this.#files.set(path, file);
    }
    const key = cells.join(",");
    const row = file.rows.get(key);
    if (row === undefined) file.rows.set(key, { cells, latenciesUs: [latencyMs * US_PER_MS] });
    else row.latenciesUs.push(latencyMs * US_PER_MS);
  }

  finish(source: string): ConvertedTables {
    const tables = new Map<string, TableText>();
    for (const path of [...this.#files.keys()].sort()) {
      const { columns, rows } = this.#files.get(path)!;
      const sorted = [...rows.values()].sort((a, b) => compareCells(a.cells, b.cells));
      tables.set(path, {
        columns: [...columns, "latency_us", "source"],
        rows: sorted.map(({ cells, latenciesUs }) => [...cells, microseconds(median(latenciesUs)), source]),
      });
    }
    return { tables, skipped: this.#skipped };
  }
}

/** Rows of two versions in one table, sorted as each was; no shape may be in both. */
export function mergeTables({ columns, rows }: TableText, other: TableText): TableText {
  return { columns, rows: [...rows, ...other.rows].sort(compareCells) };
}

function compareCells(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (let i = 0; i < a.length; i += 1) {
    const left = a[i]!;
    const right = b[i]!;
    if (left !== right)
      return typeof left === "number" && typeof right === "number" ? left - right : left < right ? -1 : 1;
  }
  return 0;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

function convertGemm(rows: readonly ParquetRow[], gpu: string, source: string): ConvertedTables {
  const collector = new TableCollector();
  for (const row of rows) {
    const dtype = dtypeOfName(textCell(row, "gemm_dtype"));
    if (dtype === undefined) {
      collector.skip(`element type ${textCell(row, "gemm_dtype")}`);
      continue;
    }
    const cells = [dtype, numberCell(row, "k"), numberCell(row, "n"), numberCell(row, "m")];
    collector.add(`gemm/${gpu}/data.csv`, ["dtype", "k", "n", "m"], cells, numberCell(row, "latency"));
  }
  return collector.finish(source);
}

/** Dtypes of an attention row, or why it is left out. Windowed rows are: a window caps the context beforehand. */
function attentionDtypes(row: ParquetRow): { dtype: string; kvDtype: string } | string {
  const dtype = dtypeOfName(textCell(row, "attn_dtype"));
  const kvDtype = kvDtypeOfName(textCell(row, "kv_cache_dtype"));
  if (dtype === undefined || kvDtype === undefined) return `element type ${textCell(row, "kv_cache_dtype")}`;
  const window = row.window_size === undefined ? 0 : numberCell(row, "window_size");
  return window > 0 ? "sliding window" : { dtype, kvDtype };
}

function headsName(row: ParquetRow): string {
  return ["num_heads", "num_key_value_heads", "head_dim"].map((column) => numberCell(row, column)).join("-");
}

function convertContextAttention(rows: readonly ParquetRow[], gpu: string, source: string): ConvertedTables {
  const collector = new TableCollector();
  for (const row of rows) {
    const dtypes = attentionDtypes(row);
    if (typeof dtypes === "string") collector.skip(dtypes);
    else if (numberCell(row, "step") !== 0) collector.skip("cached context");
    else {
      const cells = [dtypes.dtype, dtypes.kvDtype, numberCell(row, "batch_size"), numberCell(row, "isl")];
      const columns = ["dtype", "kv_dtype", "batch_size", "seq_len"];
      collector.add(`mha/prefill/${gpu}/${headsName(row)}.csv`, columns, cells, numberCell(row, "latency"));
    }
  }
  return collector.finish(source);
}

function convertGenerationAttention(rows: readonly ParquetRow[], gpu: string, source: string): ConvertedTables {
  const collector = new TableCollector();
  for (const row of rows) {
    const dtypes = attentionDtypes(row);
    if (typeof dtypes === "string") collector.skip(dtypes);
    else {
      // `step` counts the tokens in the cache before the new one.
      const kvLen = numberCell(row, "step") + numberCell(row, "isl");
      const cells = [dtypes.dtype, dtypes.kvDtype, numberCell(row, "batch_size"), kvLen];
      const columns = ["dtype", "kv_dtype", "batch_size", "kv_len"];
      collector.add(`mha/decode/${gpu}/${headsName(row)}.csv`, columns, cells, numberCell(row, "latency"));
    }
  }
  return collector.finish(source);
}

const GROUPED_SHAPE = ["num_experts", "num_gpus", "num_local_experts", "topk", "hidden_size", "intermediate_size"];

/** Balanced routing where it was measured, the mildest skew otherwise: skewed routing touches fewer experts. */
function convertMoe(rows: readonly ParquetRow[], gpu: string, source: string): ConvertedTables {
  const collector = new TableCollector();
  const distributions = [...new Set(rows.map((row) => textCell(row, "distribution")))].sort();
  const wanted = distributions.includes("balanced") ? "balanced" : distributions[0];
  for (const row of rows) {
    const distribution = textCell(row, "distribution");
    const dtype = dtypeOfName(textCell(row, "moe_dtype"));
    const numRanks = numberCell(row, "moe_ep_size");
    const numExperts = numberCell(row, "num_experts");
    const intermediateSize = numberCell(row, "inter_size") / numberCell(row, "moe_tp_size");
    if (distribution !== wanted) collector.skip(`routing ${distribution}`);
    else if (dtype === undefined) collector.skip(`element type ${textCell(row, "moe_dtype")}`);
    else if (!Number.isInteger(intermediateSize) || !Number.isInteger(numExperts / numRanks)) {
      collector.skip("experts not divisible");
    } else {
      const numTokens = numberCell(row, "num_tokens");
      const isDecode = numTokens <= MAX_DECODE_TOKENS;
      const [phase, tokensColumn] = isDecode ? ["decode", "batch_size_per_gpu"] : ["prefill", "seq_len_per_gpu"];
      const shape = [
        numExperts,
        numRanks,
        numExperts / numRanks,
        numberCell(row, "topk"),
        numberCell(row, "hidden_size"),
      ];
      const cells = [dtype, ...shape, intermediateSize, numTokens / numRanks];
      const columns = ["dtype", ...GROUPED_SHAPE, tokensColumn];
      collector.add(`grouped_gemm/${phase}/${gpu}/data.csv`, columns, cells, numberCell(row, "latency"));
    }
  }
  return collector.finish(source);
}

function convertAllReduce(rows: readonly ParquetRow[], gpu: string, source: string): ConvertedTables {
  const collector = new TableCollector();
  for (const row of rows) {
    if (textCell(row, "backend") === "vllm_eager") {
      collector.skip("launched outside a CUDA graph");
      continue;
    }
    const messageBytes = numberCell(row, "message_size") * BYTES_PER_MESSAGE_ELEMENT;
    const cells = ["bf16", numberCell(row, "num_gpus"), messageBytes];
    collector.add(
      `all_reduce/${gpu}/data.csv`,
      ["dtype", "num_gpus", "message_bytes"],
      cells,
      numberCell(row, "latency"),
    );
  }
  return collector.finish(source);
}

const HEADS = ["batch_size", "isl", "num_heads", "num_key_value_heads", "head_dim", "attn_dtype", "kv_cache_dtype"];

/**
 * Parquet files that become tables.
 * @see aiconfigurator `collector/` (what was measured; latencies in ms)
 */
export const AICONFIGURATOR_FAMILIES: readonly AiconfiguratorFamily[] = [
  {
    folder: "gemm",
    parquet: "gemm_perf.parquet",
    columns: ["gemm_dtype", "m", "n", "k", "latency"],
    optionalColumns: [],
    versions: "gemm",
    dtypeOf: (row) => dtypeOfName(textCell(row, "gemm_dtype")),
    convert: convertGemm,
  },
  {
    folder: "attention",
    parquet: "context_attention_perf.parquet",
    columns: [...HEADS, "step", "latency"],
    optionalColumns: ["window_size"],
    versions: "attention",
    dtypeOf: (row) => kvDtypeOfName(textCell(row, "kv_cache_dtype")),
    convert: convertContextAttention,
  },
  {
    folder: "attention",
    parquet: "generation_attention_perf.parquet",
    columns: [...HEADS, "step", "latency"],
    optionalColumns: ["window_size"],
    versions: "attention",
    dtypeOf: (row) => kvDtypeOfName(textCell(row, "kv_cache_dtype")),
    convert: convertGenerationAttention,
  },
  {
    folder: "moe",
    parquet: "moe_perf.parquet",
    columns: [
      ...["moe_dtype", "num_tokens", "hidden_size", "inter_size", "topk", "num_experts"],
      ...["moe_tp_size", "moe_ep_size", "distribution", "latency"],
    ],
    optionalColumns: [],
    versions: "groupedGemm",
    dtypeOf: (row) => dtypeOfName(textCell(row, "moe_dtype")),
    convert: convertMoe,
  },
  {
    folder: "comm",
    parquet: "custom_allreduce_perf.parquet",
    columns: ["num_gpus", "message_size", "backend", "latency"],
    optionalColumns: [],
    versions: "allReduce",
    dtypeOf: () => "bf16",
    convert: convertAllReduce,
  },
];
