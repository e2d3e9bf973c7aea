import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createStream } from "../../src/core/des/streams.js";
import type { GpuSpec } from "../../src/core/hardware/gpuSpec.js";
import { decodePredictor } from "../../src/core/kernels/fit/fitDecodeAttention.js";
import { gemmPredictor } from "../../src/core/kernels/fit/fitGemm.js";
import { groupedGemmPredictor } from "../../src/core/kernels/fit/fitGroupedGemm.js";
import { prefillPredictor } from "../../src/core/kernels/fit/fitPrefillAttention.js";
import type { MeasuredRow } from "../../src/core/kernels/fit/measuredRow.js";
import type { GpuEfficiency } from "../../src/core/kernels/gpuEfficiency.js";
import { gpuRoofs } from "../../src/core/kernels/gpuRoofs.js";
import type { AttentionHeads, KernelTableSet } from "../../src/core/kernels/tables/kernelTable.js";
import { groupRows } from "../../src/core/kernels/tables/tableReading.js";

/** Shapes of a few models at a few TP sizes: (n, k) of products, (heads, KV heads), (experts, top k, hidden, width). */
const MATRICES = [1024, 2560, 4096, 6144, 11264, 14336, 22016, 28672].flatMap((n) =>
  [1024, 2048, 4096, 5120, 8192, 14336].map((k) => [n, k] as const),
);
const HEADS = ["32-32", "32-8", "16-4", "8-1", "40-8", "64-8", "8-8"].map(
  (name) => name.split("-").map(Number) as [number, number],
);
const EXPERTS = [
  "8-2-4096-14336",
  "64-6-2048-1408",
  "128-8-2048-768",
  "60-4-2048-1408",
  "16-2-4096-6400",
  "32-4-2880-2880",
]
  .map((name) => name.split("-").map(Number) as [number, number, number, number])
  .flatMap(([numExperts, topK, hiddenSize, width]) =>
    [1, 2, 4].map((tp) => ({ numExperts, topK, hiddenSize, intermediateSize: width / tp })),
  );
const TOKENS = [1, 2, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192];

/**
 * Tables that a faithful benchmark program would write on a GPU whose kernels are just as these efficiencies say: bf16,
 * inputs past the cache, experts drawn at random.
 * @param noise largest relative error of a row, either way
 */
export function measuredTables(truth: GpuEfficiency, gpu: GpuSpec, noise: number, seed: number): KernelTableSet {
  const roofs = gpuRoofs(gpu);
  const draw = createStream(seed, "measured-tables");
  const gemmUs = gemmPredictor(truth.gemm.bf16, roofs, "bf16");
  const expertsUs = groupedGemmPredictor(truth.groupedGemm.bf16, roofs, "bf16", "drawn");
  const decodeUs = decodePredictor(truth.decodeAttention.bf16, roofs, "bf16");
  const prefillUs = prefillPredictor(truth.prefillAttention.bf16, roofs, "bf16");
  const measured = (predictUs: (row: MeasuredRow) => number, ...dims: number[]) => ({
    latencyUs: predictUs({ dims, us: 0, shapeKey: "" }) * (1 + noise * (2 * draw() - 1)),
    source: "measured" as const,
  });
  const kvDtype = "bf16" as const;
  const dtype = "bf16" as const;
  return {
    gemm: MATRICES.flatMap(([n, k]) => TOKENS.map((m) => ({ m, n, k, dtype, ...measured(gemmUs, m, n, k) }))),
    groupedGemm: EXPERTS.flatMap(({ numExperts, topK, hiddenSize, intermediateSize }) =>
      TOKENS.map((numTokens) => ({
        ...{ numTokens, numExperts, numLocalExperts: numExperts, topK, hiddenSize, intermediateSize, dtype },
        ...measured(expertsUs, numTokens, numExperts, numExperts, topK, hiddenSize, intermediateSize),
      })),
    ),
    decodeAttention: HEADS.flatMap(([numHeads, numKvHeads]) =>
      [1, 2, 8, 32, 64, 128, 256, 512].flatMap((batchSize) =>
        [128, 512, 1024, 2048, 4096, 8192].map((kvLen) => ({
          ...{ numHeads, numKvHeads, headDim: 128, kvDtype, batchSize, kvLen },
          ...measured(decodeUs, batchSize, kvLen, numHeads, numKvHeads),
        })),
      ),
    ),
    prefillAttention: HEADS.flatMap(([numHeads, numKvHeads]) =>
      [1, 16, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384].flatMap((seqLen) =>
        [0, 2048].map((contextLen) => ({
          ...{ numHeads, numKvHeads, headDim: 128, kvDtype, seqLen, contextLen, batchSize: 1 },
          ...measured(prefillUs, 1, seqLen, numHeads, numKvHeads, contextLen),
        })),
      ),
    ),
    allReduce: [],
  };
}

/** Writes tables as `bench_data/collect` does, with its account of the device beside them. */
export function writeCollected(dir: string, tables: KernelTableSet, gpuFolder: string, device: string): void {
  const put = (path: string, lines: readonly string[]) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), `${lines.join("\n")}\n`);
  };
  const measured = `0.004,measured: ${device}`;
  put(`gemm/${gpuFolder}/data.csv`, [
    "m,k,n,dtype,latency_us,repeatability_fraction,source",
    ...tables.gemm.map(
      ({ m, k, n, dtype, latencyUs }) => `${m},${k},${n},${dtype},${latencyUs.toFixed(3)},${measured}`,
    ),
  ]);
  put(`grouped_gemm/prefill/${gpuFolder}/data.csv`, [
    "num_experts,num_gpus,num_local_experts,topk,hidden_size,intermediate_size,seq_len_per_gpu,dtype,latency_us,repeatability_fraction,source",
    ...tables.groupedGemm.map((row) =>
      [
        ...[row.numExperts, 1, row.numLocalExperts, row.topK, row.hiddenSize, row.intermediateSize, row.numTokens],
        ...[row.dtype, row.latencyUs.toFixed(3), measured],
      ].join(","),
    ),
  ]);
  const byHeads = <Row extends AttentionHeads>(rows: readonly Row[]) =>
    groupRows(rows, ({ numHeads, numKvHeads }) => `${numHeads}-${numKvHeads}-128`);
  for (const [heads, rows] of byHeads(tables.decodeAttention)) {
    put(`mha/decode/${gpuFolder}/${heads}.csv`, [
      "dtype,kv_dtype,batch_size,kv_len,latency_us,repeatability_fraction,source",
      ...rows.map((row) => `bf16,bf16,${row.batchSize},${row.kvLen},${row.latencyUs.toFixed(3)},${measured}`),
    ]);
  }
  for (const [heads, rows] of byHeads(tables.prefillAttention)) {
    put(`mha/prefill/${gpuFolder}/${heads}.csv`, [
      "dtype,seq_len,batch_size,context_len,latency_us,repeatability_fraction,source",
      ...rows.map((row) => `bf16,${row.seqLen},1,${row.contextLen},${row.latencyUs.toFixed(3)},${measured}`),
    ]);
  }
  put(`elementwise/${gpuFolder}/data.csv`, ["name,num_tokens,latency_us", "rope,1,2.1"]);
  put(`whole_step/${gpuFolder}.json`, ["{}"]);
  put("collected.json", [JSON.stringify({ schema: "roofserve.collected/1", device: { name: device }, versions: {} })]);
}
