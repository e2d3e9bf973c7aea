import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import type { AccessPattern } from "../../src/core/kernels/characterization/characterization.js";
import type { BandwidthRow } from "../../src/core/kernels/characterization/fitCharacterization.js";
import { kvBytes, REFERENCE_HEAD_DIM } from "../../src/core/kernels/decodeAttentionKernel.js";
import { gemmBytes } from "../../src/core/kernels/gemmKernel.js";
import { GPU_FIT_PLANS } from "../kernels/gpuFitPlan.js";
import { attentionRows, gemmRows } from "../kernels/measuredRows.js";
import { numberIn, readTable, tableVersions } from "../kernels/readTable.js";

/** Rows of other people's kernel tables that do little but move bytes, as micro-benchmark rows of one pattern. */
export interface TableBandwidth {
  readonly what: string;
  readonly pattern: AccessPattern;
  readonly rows: readonly BandwidthRow[];
}

/** Static quantisation reads 16-bit numbers and writes fp8. */
const QUANTISE_BYTES = 3;
/** Adding two 16-bit tensors reads both and writes one. */
const ADD_BYTES = 6;
/** Products of few rows read their weights and do hardly more. */
const MOST_STREAMING_ROWS = 8;
/** Blocks of 16 tokens of 8 heads; the tables do not say how theirs were laid out. */
const BLOCK_BYTES = 32_768;
const US_PER_MS = 1e3;

/** Folders of the older tables of linear layers, per GPU. */
const LINEAR_FOLDERS: Readonly<Record<string, string>> = { H100: "h100", "A100-80": "a100" };

/** What the tables below `root` (shared kernel data) say of one GPU's memory. */
export async function tableBandwidths(root: string, gpuId: string): Promise<TableBandwidth[]> {
  const plan = GPU_FIT_PLANS.find(({ gpu }) => gpu === gpuId)!;
  const aiconfigurator = join(root, "aiconfigurator");
  const [products, decodes] = await Promise.all([
    gemmRows(aiconfigurator, plan.system, plan.gemm.bf16!, "bf16"),
    attentionRows(aiconfigurator, plan.system, plan.attention.bf16!, "generation", "bf16"),
  ]);
  const streaming = products.rows.filter(({ dims }) => dims[0]! <= MOST_STREAMING_ROWS);
  return [
    {
      what: "weights: products of ≤ 8 rows",
      pattern: "sequential",
      rows: streaming.map(({ dims, us }) =>
        bandwidthRow("sequential", gemmBytes(dims[0]!, dims[2]!, dims[1]!, "bf16"), us),
      ),
    },
    ...(await quantiseRows(aiconfigurator, plan.system)),
    ...addRows(root, gpuId),
    {
      what: "KV: decode attention",
      pattern: "scattered",
      rows: decodes.rows.map(({ dims: [requests, context, , kvHeads], us }) =>
        bandwidthRow("scattered", kvBytes(requests! * context!, kvHeads!, REFERENCE_HEAD_DIM, "bf16"), us),
      ),
    },
  ];
}

async function quantiseRows(aiconfigurator: string, system: string): Promise<TableBandwidth[]> {
  let version: string | undefined;
  try {
    version = tableVersions(aiconfigurator, system, "quantize", "vllm").at(-1);
  } catch {
    return [];
  }
  const table = await readTable(aiconfigurator, `${system}/quantize/vllm/${version}/scale_matrix_perf.parquet`);
  const timed = table.filter((row) => numberIn(row, "latency") > 0);
  const rows = timed.map((row) =>
    bandwidthRow(
      "sequential",
      QUANTISE_BYTES * numberIn(row, "m") * numberIn(row, "k"),
      numberIn(row, "latency") * US_PER_MS,
    ),
  );
  return [{ what: "quantising: 2 bytes read, 1 written", pattern: "sequential", rows }];
}

function addRows(root: string, gpuId: string): TableBandwidth[] {
  const folder = LINEAR_FOLDERS[gpuId];
  if (folder === undefined) return [];
  const text = readFileSync(join(root, folder, "linear_fp16.csv"), "utf8");
  const table = parse(text, { columns: true }) as Record<string, string>[];
  const rows = table
    .filter((row) => Number(row.add_us) > 0 && Number(row.num_tokens) > 0)
    .map((row) =>
      bandwidthRow("sequential", ADD_BYTES * Number(row.n_embd) * Number(row.num_tokens), Number(row.add_us)),
    );
  return [{ what: "adding: 4 bytes read, 2 written", pattern: "sequential", rows }];
}

function bandwidthRow(pattern: AccessPattern, bytes: number, latencyUs: number): BandwidthRow {
  const blockBytes = pattern === "sequential" ? null : BLOCK_BYTES;
  return { row: 0, pattern, bytes, blockBytes, workingSetBytes: bytes, latencyUs };
}
