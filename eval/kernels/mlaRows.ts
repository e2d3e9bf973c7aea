import { gemmPredictor } from "../../src/core/kernels/fit/fitGemm.js";
import { cleanRows, type MeasuredRow } from "../../src/core/kernels/fit/measuredRow.js";
import { median } from "../../src/core/kernels/fit/median.js";
import { batchedGemmUs } from "../../src/core/kernels/gemmKernel.js";
import type { GpuEfficiency } from "../../src/core/kernels/gpuEfficiency.js";
import type { GpuRoofs } from "../../src/core/kernels/gpuRoofs.js";
import { type MlaAttentionLayer, MlaRowOperators, mlaProjectionOperators } from "../../src/core/model/mlaOperators.js";
import type { MlaAttention } from "../../src/core/model/modelArchitecture.js";
import { type Operator, operatorBytes } from "../../src/core/model/operator.js";
import { shardMla } from "../../src/core/model/sharding.js";
import type { FamilyRows } from "./measuredRows.js";
import { numberIn, readTable, type TableRow } from "./readTable.js";

const US_PER_MS = 1e3;
const TABLE_DTYPE = { bf16: "bfloat16", fp8: "fp8" } as const;
/** The tables are DeepSeek-V3's layer with fewer heads. */
const HIDDEN_SIZE = 7168;
/** Up to so many new tokens of a prompt vLLM's kernel on Hopper runs the absorbed way, from 0.11 on. */
const ABSORBED_PROMPT_TOKENS = 512;
/** Steps of no more tokens than this are launches and little else. */
const SMALL_STEP_TOKENS = 64;
/** A kernel timed from Python is known where it takes so many times what Python alone does. */
const LEAST_OVER_PYTHON = 3;

/** What is left of a layer is known where it is no less than this share: projections are priced a few percent off. */
const LEAST_SHARE_OF_LAYER = 0.25;

/** Where a GPU's measurements of latent attention are; paths as in `GpuFitPlan`. */
export interface MlaTables {
  /** vLLM version of whole attention layers inside CUDA graphs; null where there is none. */
  readonly module: string | null;
  /** Of attention alone, timed from Python; null where there is none. */
  readonly kernel: string | null;
}

/**
 * Rows (requests, context, heads): what a decoding layer takes beyond its projections and absorbed products as `efficiency`
 * prices them. Attention alone was measured only with 0.1 to 0.2 ms of Python in every row, which is more than what a
 * model's decode takes; layers were measured inside CUDA graphs. What lies between the kernels is so part of the rows.
 */
export async function mlaDecodeRows(
  root: string,
  system: string,
  version: string,
  dtype: "bf16" | "fp8",
  around: Pick<GpuEfficiency, "gemm" | "elementwise">,
  roofs: GpuRoofs,
): Promise<FamilyRows> {
  const price = operatorPrice(around, roofs);
  const table = await moduleRows(root, system, version, "generation", dtype);
  const rows = table.flatMap((row): MeasuredRow[] => {
    const [requests, context, numHeads] = [
      numberIn(row, "batch_size"),
      numberIn(row, "isl") + numberIn(row, "step") - 1,
      numberIn(row, "num_heads"),
    ];
    const layer = deepseekLayer(numHeads, dtype);
    const totals = { numRequests: requests, sumContextTokens: requests * context, maxContextTokens: context };
    const absorbed = new MlaRowOperators(layer).decode(totals).filter(({ dims }) => dims.category === "batched-gemm");
    const aroundUs = sumUs([...projections(layer.attention, requests), ...absorbed], price);
    const layerUs = numberIn(row, "latency") * US_PER_MS;
    const us = layerUs - aroundUs;
    if (us < LEAST_SHARE_OF_LAYER * layerUs) return [];
    return [{ dims: [requests, context, numHeads], us, shapeKey: `${numHeads}` }];
  });
  return {
    rows: cleanRows(
      rows.filter(({ us }) => us > 0),
      [1, 0],
    ),
    numTableRows: table.length,
  };
}

/**
 * The same rows where no layers were measured: attention with its absorbed products, timed from Python, as far as that is
 * hidden.
 */
export async function mlaDecodeKernelRows(
  root: string,
  system: string,
  version: string,
  dtype: "bf16" | "fp8",
  around: Pick<GpuEfficiency, "gemm" | "elementwise">,
  roofs: GpuRoofs,
): Promise<FamilyRows> {
  const price = operatorPrice(around, roofs);
  const table = await readTable(root, `${system}/mla/vllm/${version}/generation_mla_perf.parquet`);
  const wanted = table.filter((row) => row.kv_cache_dtype === TABLE_DTYPE[dtype]);
  const rows = beyondPython(wanted, (row) => numberIn(row, "batch_size") * (numberIn(row, "step") + 1)).map(
    (row): MeasuredRow => {
      const [requests, context] = [numberIn(row, "batch_size"), numberIn(row, "step") + 1];
      const numHeads = numberIn(row, "num_heads");
      const totals = { numRequests: requests, sumContextTokens: requests * context, maxContextTokens: context };
      const absorbed = new MlaRowOperators(deepseekLayer(numHeads, dtype))
        .decode(totals)
        .filter(({ dims }) => dims.category === "batched-gemm");
      const us = numberIn(row, "latency") * US_PER_MS - sumUs(absorbed, price);
      return { dims: [requests, context, numHeads], us, shapeKey: `${numHeads}` };
    },
  );
  return {
    rows: cleanRows(
      rows.filter(({ us }) => us > 0),
      [1, 0],
    ),
    numTableRows: wanted.length,
  };
}

/** Rows that take several times what Python alone does: the median of those whose work is nothing. */
function beyondPython(rows: readonly TableRow[], workOf: (row: TableRow) => number): TableRow[] {
  const idle = rows.filter((row) => workOf(row) <= SMALL_STEP_TOKENS).map((row) => numberIn(row, "latency"));
  if (idle.length === 0) return [];
  return rows.filter((row) => numberIn(row, "latency") > LEAST_OVER_PYTHON * median(idle));
}

/** µs that a prompt of few tokens takes beyond its projections: launches of prefill attention inside a CUDA graph. */
export async function mlaPrefillLaunchUs(
  root: string,
  system: string,
  version: string,
  around: Pick<GpuEfficiency, "gemm" | "elementwise">,
  roofs: GpuRoofs,
): Promise<number> {
  const price = operatorPrice(around, roofs);
  const table = await moduleRows(root, system, version, "context", "bf16");
  const launches = table.flatMap((row) => {
    const [requests, tokens] = [numberIn(row, "batch_size"), numberIn(row, "isl")];
    if (tokens === 1 || requests * tokens > SMALL_STEP_TOKENS) return [];
    const layer = deepseekLayer(numberIn(row, "num_heads"), "bf16");
    const chunks = new Array(requests).fill({ newTokens: tokens, contextTokens: 0 });
    const expansion = new MlaRowOperators(layer).prefill(chunks).filter(({ dims }) => dims.category === "gemm");
    const aroundUs = sumUs([...projections(layer.attention, requests * tokens), ...expansion], price);
    return [numberIn(row, "latency") * US_PER_MS - aroundUs];
  });
  return Number(median(launches).toFixed(1));
}

/**
 * Rows (prompts, new tokens, heads, heads): attention over expanded keys and values, without the product that expands
 * them. Measured from Python, so that only rows far above what Python takes say anything; and prompts that run absorbed are
 * another kernel.
 */
export async function mlaPrefillRows(
  root: string,
  system: string,
  version: string,
  around: Pick<GpuEfficiency, "gemm" | "elementwise">,
  roofs: GpuRoofs,
): Promise<FamilyRows> {
  const price = operatorPrice(around, roofs);
  const table = await readTable(root, `${system}/mla/vllm/${version}/context_mla_perf.parquet`);
  const wanted = table.filter((row) => row.kv_cache_dtype === TABLE_DTYPE.bf16);
  const tokensOf = (row: TableRow) => numberIn(row, "batch_size") * numberIn(row, "isl");
  const known = beyondPython(wanted, tokensOf).filter((row) => numberIn(row, "isl") > ABSORBED_PROMPT_TOKENS);
  const rows = known.map((row): MeasuredRow => {
    const [prompts, tokens, numHeads] = [numberIn(row, "batch_size"), numberIn(row, "isl"), numberIn(row, "num_heads")];
    const chunks = new Array(prompts).fill({ newTokens: tokens, contextTokens: 0 });
    const expansion = new MlaRowOperators(deepseekLayer(numHeads, "bf16"))
      .prefill(chunks)
      .filter(({ dims }) => dims.category === "gemm");
    const us = numberIn(row, "latency") * US_PER_MS - sumUs(expansion, price);
    return { dims: [prompts, tokens, numHeads, numHeads], us, shapeKey: `${numHeads}` };
  });
  return {
    rows: cleanRows(
      rows.filter(({ us }) => us > 0),
      [1, 0],
    ),
    numTableRows: table.length,
  };
}

async function moduleRows(
  root: string,
  system: string,
  version: string,
  phase: "generation" | "context",
  dtype: "bf16" | "fp8",
): Promise<TableRow[]> {
  const table = await readTable(root, `${system}/mla/vllm/${version}/mla_${phase}_module_perf.parquet`);
  return table.filter(
    (row) => row.gemm_type === "bfloat16" && row.mla_dtype === "bfloat16" && row.kv_cache_dtype === TABLE_DTYPE[dtype],
  );
}

function deepseekLayer(numHeads: number, kvDtype: "bf16" | "fp8"): MlaAttentionLayer {
  const attention: MlaAttention = {
    kind: "mla",
    numHeads,
    qLoraRank: 1536,
    kvLoraRank: 512,
    nopeHeadDim: 128,
    ropeHeadDim: 64,
    valueHeadDim: 128,
    slidingWindow: 0,
  };
  const shard = shardMla(attention, 1);
  return { kind: "mla", attention, shard, count: 1, kvDtype, weightDtype: "bf16", kvTokenBytes: 0 };
}

function projections(attention: MlaAttention, numTokens: number): Operator[] {
  const context = { hiddenSize: HIDDEN_SIZE, tensorParallelSize: 1, weightDtype: "bf16", numTokens } as const;
  const { before, after } = mlaProjectionOperators(attention, 1, context);
  return [...before, ...after];
}

/** µs of what surrounds attention, as tables say: short bursts, so without the slowdown of sustained compute. */
function operatorPrice(
  { gemm, elementwise }: Pick<GpuEfficiency, "gemm" | "elementwise">,
  roofs: GpuRoofs,
): (operator: Operator) => number {
  const product = gemmPredictor(gemm.bf16, roofs, "bf16");
  return (operator) => {
    const { dims } = operator;
    if (dims.category === "gemm") return product({ dims: [dims.m, dims.n, dims.k], us: 0, shapeKey: "" });
    if (dims.category === "batched-gemm") return batchedGemmUs(gemm.bf16, roofs, dims);
    const us = operatorBytes(operator) / (roofs.bytesPerUs * elementwise.memoryEfficiency);
    return Math.max(elementwise.launchUs, us);
  };
}

function sumUs(operators: readonly Operator[], price: (operator: Operator) => number): number {
  return operators.reduce((sum, operator) => sum + price(operator), 0);
}
