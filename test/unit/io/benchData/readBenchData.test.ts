import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { DataFileError } from "../../../../src/core/errors/simulationError.js";
import { readBenchData, readSoundTable } from "../../../../src/io/benchData/readBenchData.js";
import { findTableFiles } from "../../../../src/io/benchData/tableFiles.js";
import { loadGpu } from "../../../../src/io/catalog.js";
import { sharedFile } from "../../../reference/sharedFile.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";

const h100 = loadGpu("H100");
const { folder } = temporaryFolder();
let numFolders = 0;

/** A bench_data folder of its own with these files. */
function benchData(files: Readonly<Record<string, string>>): string {
  const dir = join(folder, String(numFolders++));
  mkdirSync(dir, { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

const GEMM = "gemm/h100/data.csv";
const DECODE = "mha/decode/h100/32-8-128.csv";
const GROUPED = "grouped_gemm/decode/h100/data.csv";
const GROUPED_HEADER =
  "num_experts,num_gpus,num_local_experts,topk,hidden_size,intermediate_size,batch_size_per_gpu,tokens_per_expert,up_proj_us,up_mfu,down_proj_us,down_mfu";

describe("readBenchData", () => {
  it("reads the published layouts, extra columns included", () => {
    const dir = benchData({
      [GEMM]: "m,k,n,latency_us,mfu,dtype,source,comment\n8,4096,6144,17.5,0.02,bf16,measured,x\n",
      "mha/prefill/h100/32-8-128.csv": "dtype,seq_len,latency_us,mfu\nbf16,1024,38.098,0.228\n",
      "mha/decode/h100/64-8-128-tp4.csv":
        "dtype,kv_dtype,batch_size,kv_len,latency_us,mfu\nbf16,fp8,16,1024,20.5,0.0\n",
      [GROUPED]: `${GROUPED_HEADER}\n64,4,16,8,2048,768,32,4,60.5,0.1,31.5,0.1\n`,
      "all_reduce/h100/data.csv": "num_gpus,message_bytes,latency_us\n2,1048576,12.4\n",
    });
    const { tables, files, otherGpuFolders } = readBenchData(dir, h100);
    const source = "measured";
    expect(tables.gemm).toEqual([{ m: 8, k: 4096, n: 6144, dtype: "bf16", latencyUs: 17.5, source }]);
    expect(tables.prefillAttention).toMatchObject([
      { numHeads: 32, seqLen: 1024, batchSize: 1, contextLen: 0, kvDtype: "bf16" },
    ]);
    expect(tables.decodeAttention).toMatchObject([
      { numHeads: 16, numKvHeads: 2, headDim: 128, kvDtype: "fp8", kvLen: 1024 },
    ]);
    expect(tables.groupedGemm).toMatchObject([{ numTokens: 128, numLocalExperts: 16, latencyUs: 92, dtype: "bf16" }]);
    expect(tables.allReduce).toEqual([{ numRanks: 2, messageBytes: 1048576, latencyUs: 12.4, source }]);
    expect(files).toHaveLength(5);
    expect(otherGpuFolders).toEqual([]);
  });

  it("takes only the GPU's own folders, however they spell it", () => {
    const row = "m,k,n,latency_us,dtype\n8,4096,6144,17.5,bf16\n";
    const dir = benchData({
      [GEMM]: row,
      "gemm/h100_sxm/data.csv": row,
      "gemm/a100/data.csv": row,
      "gemm/h200/data.csv": row,
    });
    expect(readBenchData(dir, h100).tables.gemm).toHaveLength(2);
    expect(readBenchData(dir, h100).otherGpuFolders).toEqual(["a100", "h200"]);
    expect(readBenchData(dir, loadGpu("A100-80")).files).toEqual(["gemm/a100/data.csv"]);
  });

  it("tells fp8 tables without dtype column by their speed, or by what their MFU was divided by", () => {
    const fast = benchData({ [GEMM]: "m,k,n,latency_us\n4096,2048,6144,90.913\n" });
    expect(readBenchData(fast, h100).tables.gemm[0]?.dtype).toBe("fp8");
    const slow = benchData({ [GEMM]: "m,k,n,latency_us,mfu\n8,2048,6144,8.988,0.0113\n64,2048,6144,8.6,0.0946\n" });
    expect(readBenchData(slow, h100).tables.gemm[0]?.dtype).toBe("fp8");
    const half = benchData({ [GEMM]: "m,k,n,latency_us,mfu\n8,2048,6144,8.988,0.0226\n" });
    expect(readBenchData(half, h100).tables.gemm[0]?.dtype).toBe("bf16");
  });

  it("reads a table that starts with data, CRLF lines, a byte order mark and a missing last newline", () => {
    const dir = benchData({
      [DECODE]: "bf16,bf16,1,1024,25.5,0.009\r\nbf16,bf16,1,4096,84.7,0.011",
      [GEMM]: "\uFEFFm,k,n,latency_us\r\n8,4096,6144,17.5\r\n\r\n",
    });
    const { tables } = readBenchData(dir, h100);
    expect(tables.decodeAttention.map(({ kvLen }) => kvLen)).toEqual([1024, 4096]);
    expect(tables.gemm).toHaveLength(1);
  });

  it("marks rows that a model wrote", () => {
    const dir = benchData({ [GEMM]: "m,k,n,latency_us,source\n8,4096,6144,17.5,modelled\n" });
    expect(readBenchData(dir, h100).tables.gemm[0]?.source).toBe("modelled");
  });
});

const MALFORMED: readonly [what: string, path: string, text: string, message: RegExp][] = [
  ["an empty file", GEMM, "", /gemm\/h100\/data\.csv: the table is empty/],
  ["a header without rows", GEMM, "m,k,n,latency_us\n", /data\.csv: the table has a header but no rows/],
  ["a missing column", GEMM, "m,k,latency_us\n1,2,3\n", /row 1, column n: the column is missing; found m,k,latency_us/],
  [
    "an unknown header",
    GEMM,
    "rows,inner,time\n1,2,3\n",
    /row 1: unknown header rows,inner,time; expected m,k,n,latency_us/,
  ],
  ["a doubled column", GEMM, "m,k,n,n,latency_us\n1,2,3,3,4\n", /row 1, column n: the column occurs twice/],
  ["an empty latency", GEMM, "m,k,n,latency_us\n8,4096,6144,\n", /row 2, column latency_us: the cell is empty/],
  [
    "a zero latency",
    GEMM,
    "m,k,n,latency_us\n8,4096,6144,1\n8,4096,1024,0\n",
    /row 3, column latency_us: got 0; must be > 0/,
  ],
  ["a negative size", GEMM, "m,k,n,latency_us\n-8,4096,6144,1\n", /row 2, column m: got -8; must be > 0/],
  [
    "a size that is not whole",
    GEMM,
    "m,k,n,latency_us\n8.5,4096,6144,1\n",
    /row 2, column m: got 8\.5; must be a whole number/,
  ],
  [
    "a word for a number",
    GEMM,
    "m,k,n,latency_us\n8,4096,6144,fast\n",
    /column latency_us: got fast; must be a finite number/,
  ],
  ["NaN", GEMM, "m,k,n,latency_us\n8,4096,6144,NaN\n", /column latency_us: got NaN; must be a finite number/],
  ["infinity", GEMM, "m,k,n,latency_us\n8,4096,6144,Infinity\n", /column latency_us: got Infinity; must be a finite/],
  ["a huge size", GEMM, "m,k,n,latency_us\n1e30,4096,6144,1\n", /row 2, column m: got 1e30; must be a whole number/],
  ["a truncated row", GEMM, "m,k,n,latency_us\n8,4096,61\n", /row 2, column latency_us: the cell is empty/],
  ["too many cells", GEMM, "m,k,n,latency_us\n8,4096,6144,1,2\n", /row 2: 5 cells, but the header has 4 columns/],
  ["a broken quote", GEMM, 'm,k,n,latency_us\n8,"4096,6144,1\n', /data\.csv, row \d+: is not valid CSV/],
  [
    "an unknown dtype",
    DECODE,
    "dtype,kv_dtype,batch_size,kv_len,latency_us\nbf17,bf16,1,2,3\n",
    /column dtype: got bf17; must be one of bf16/,
  ],
  [
    "an int4 KV cache",
    DECODE,
    "dtype,kv_dtype,batch_size,kv_len,latency_us\nbf16,int4,1,2,3\n",
    /column kv_dtype: got int4; must be bf16/,
  ],
  [
    "a name without shape",
    "mha/decode/h100/llama.csv",
    "dtype,kv_dtype,batch_size,kv_len,latency_us\nbf16,bf16,1,2,3\n",
    /llama\.csv: the name must be <heads>/,
  ],
  [
    "heads that TP cannot split",
    "mha/decode/h100/28-4-128-tp8.csv",
    "dtype,kv_dtype,batch_size,kv_len,latency_us\nbf16,bf16,1,2,3\n",
    /28 heads cannot be split over 8 GPUs/,
  ],
  [
    "experts without latency",
    GROUPED,
    "num_experts,num_gpus,num_local_experts,topk,hidden_size,intermediate_size,batch_size_per_gpu,up_proj_us\n8,1,8,2,64,64,1,5\n",
    /no latency column; needs latency_us, or up_proj_us and down_proj_us/,
  ],
  [
    "an expert row without latency",
    GROUPED,
    `${GROUPED_HEADER}\n8,1,8,2,64,64,1,1,,,5,0.1\n`,
    /row 2, column latency_us/,
  ],
  [
    "a negative message",
    "all_reduce/h100/data.csv",
    "num_gpus,message_bytes,latency_us\n2,-1,3\n",
    /column message_bytes: got -1; must be > 0/,
  ],
];

describe("malformed tables", () => {
  it.each(MALFORMED)("name the place and the remedy: %s", (_, path, text, message) => {
    const dir = benchData({ [path]: text });
    const read = () => readBenchData(dir, h100);
    expect(read).toThrow(DataFileError);
    expect(read).toThrow(message);
  });

  it("count the other problems of the file", () => {
    const dir = benchData({ [GEMM]: "m,k,n,latency_us\n8,4096,6144,0\n8,0,6144,1\n" });
    expect(() => readBenchData(dir, h100)).toThrow(/must be > 0 \(and 1 more problems in this file\)/);
  });

  it("are a missing folder, or a file in its place", () => {
    expect(() => readBenchData(join(folder, "nowhere"), h100)).toThrow(
      /nowhere: no such folder; give the folder that holds gemm/,
    );
    const dir = benchData({ [GEMM]: "m,k,n,latency_us\n" });
    expect(() => readBenchData(join(dir, GEMM), h100)).toThrow(/is a file; give the folder/);
  });
});

const infersim = sharedFile("kernel_data/infersim");
const h100Tables = sharedFile("kernel_data/h100");

describe("other people's tables", () => {
  it.skipIf(infersim === null)("all of InferSim's read, every row", () => {
    const { tables, strayFiles } = findTableFiles(infersim!);
    expect(tables).toHaveLength(38);
    expect(strayFiles).toEqual([]);
    const numRows = tables.reduce((sum, table) => sum + readSoundTable(table).rows.length, 0);
    expect(numRows).toBe(1884);
    const h20 = readBenchData(infersim!, loadGpu("H20")).tables;
    expect([h20.gemm.length, h20.groupedGemm.length, h20.prefillAttention.length, h20.decodeAttention.length]).toEqual([
      402, 426, 25, 416,
    ]);
    const h800 = readBenchData(infersim!, loadGpu("H800")).tables;
    expect([h800.gemm.length, h800.groupedGemm.length, h800.decodeAttention.length]).toEqual([110, 71, 287]);
    expect(
      new Set([...h20.gemm, ...h800.gemm, ...h20.groupedGemm, ...h800.groupedGemm].map(({ dtype }) => dtype)),
    ).toEqual(new Set(["fp8"]));
  });

  it.skipIf(h100Tables === null)("all of the H100 set read, heads divided by TP", () => {
    const { tables, files } = readBenchData(h100Tables!, h100);
    expect([files.length, tables.gemm.length, tables.prefillAttention.length, tables.decodeAttention.length]).toEqual([
      25, 112, 30, 755,
    ]);
    expect(
      tables.decodeAttention.filter(({ numHeads, numKvHeads }) => numHeads === 7 && numKvHeads === 1),
    ).toHaveLength(41);
  });
});
