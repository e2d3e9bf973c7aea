import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CheckKind, TableCheck } from "../../../../src/io/benchData/benchDataCheck.js";
import { checkBenchData } from "../../../../src/io/benchData/checkBenchData.js";
import { formatBenchDataCheck } from "../../../../src/io/benchData/formatBenchDataCheck.js";
import { loadGpuCatalog } from "../../../../src/io/catalog.js";
import { sharedFile } from "../../../reference/sharedFile.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";

const gpus = loadGpuCatalog();
const { folder } = temporaryFolder();
let numFolders = 0;

function checkFile(path: string, text: string): TableCheck {
  const dir = join(folder, String(numFolders++));
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
  const [check] = checkBenchData(dir, gpus).tables;
  return check!;
}

const findingOf = (check: TableCheck, kind: CheckKind) => check.findings.find((finding) => finding.kind === kind);

/** H100 latencies with the MFU columns that a design review could not explain. */
const PREFILL_4222 = `dtype,seq_len,latency_us,mfu
bf16,1024,45.85,1.266
bf16,4096,219.951,4.222
bf16,8192,771.621,4.814
bf16,16384,3107.445,4.782
bf16,32768,12628.475,4.706
`;
const GEMM_1146 = `m,k,n,latency_us,mfu
8,2048,6144,8.878,0.023
64,2048,6144,8.682,0.187
512,2048,6144,15.605,0.834
1024,2048,6144,25.552,1.019
4096,2048,6144,90.913,1.146
`;

describe("which device a row was measured on", () => {
  const rows = (...devices: string[]) =>
    `m,k,n,dtype,latency_us,device\n${devices.map((device, i) => `${i + 1},4096,4096,bf16,20,${device}`).join("\n")}\n`;

  it("is an error where it is another known GPU than the folder's, by row", () => {
    const text = rows("NVIDIA H200", "NVIDIA H100 80GB HBM3", "", "NVIDIA H100 80GB HBM3");
    const finding = findingOf(checkFile("gemm/h200/data.csv", text), "other-device");
    expect(finding).toMatchObject({ severity: "error", rows: [3, 5] });
    expect(finding?.message).toContain("row 3, column device: got NVIDIA H100 80GB HBM3, which is H100");
  });

  it("is none where the name is the GPU's own, nobody's, or not given", () => {
    const text = rows("NVIDIA H200", "h200", "Engineering Sample", "");
    expect(findingOf(checkFile("gemm/h200_sxm/data.csv", text), "other-device")).toBeUndefined();
  });
});

describe("which peak an MFU column was divided by", () => {
  it("finds another GPU's peak behind MFU 4.222", () => {
    const check = checkFile("mha/prefill/h100/32-32-128.csv", PREFILL_4222);
    expect(check.mfu[0]).toMatchObject({ agreement: 1, maxMfu: 4.814, convention: "causal half of 4·heads·dim·seq²" });
    expect(check.mfu[0]?.peak).toMatchObject({ flopsPerS: 148e12, owners: [{ gpuId: "H20", dtype: "bf16" }] });
    expect(check.mfu[0]?.impliedFlopsPerS).toBeCloseTo(148e12, -11);
    expect(findingOf(check, "mfu-peak")).toMatchObject({ severity: "error" });
    expect(findingOf(check, "mfu-peak")?.message).toMatch(
      /the peak of H20 bf16 \(148 TFLOP\/s\), not of H100 .* values are 6\.69× those against H100 bf16/,
    );
    expect(findingOf(check, "mfu-above-one")?.message).toMatch(/reaches 4\.814/);
    expect(findingOf(check, "faster-than-physics")).toBeUndefined();
  });

  it("finds an fp8 kernel compared with the bf16 peak behind MFU 1.146", () => {
    const check = checkFile("gemm/h100/data.csv", GEMM_1146);
    expect(check.mfu[0]).toMatchObject({ agreement: 1, maxMfu: 1.146, isCertain: true });
    expect(check.mfu[0]?.peak?.owners).toContainEqual({ gpuId: "H100", dtype: "bf16" });
    expect(findingOf(check, "mfu-peak")?.message).toMatch(
      /compares fp8 kernels with H100's bf16 peak .* values are 2× those against its fp8 peak/,
    );
    expect(findingOf(check, "mfu-above-one")).toMatchObject({ severity: "error" });
  });

  it("says only a note when it is the right one", () => {
    const halved = GEMM_1146.replace("0.023", "0.011")
      .replace("0.187", "0.094")
      .replace("0.834", "0.417")
      .replace("1.019", "0.510")
      .replace("1.146", "0.573");
    const check = checkFile("gemm/h100/data.csv", halved);
    expect(check.findings.map(({ severity }) => severity)).toEqual(["note"]);
    expect(findingOf(check, "mfu-peak")?.message).toMatch(
      /was divided by the peak of H100 fp8 \(1979 TFLOP\/s\) \(100 % of rows agree/,
    );
  });

  it("says which peaks few digits leave open", () => {
    const check = checkFile(
      "mha/decode/h100/32-8-128.csv",
      "dtype,kv_dtype,batch_size,kv_len,latency_us,mfu\nbf16,bf16,64,8192,724,0.01\n",
    );
    expect(check.mfu[0]?.isCertain).toBe(false);
    expect(check.mfu[0]?.alternatives.length).toBeGreaterThan(2);
  });

  it("says a number where no known peak fits", () => {
    const check = checkFile(
      "gemm/h100/data.csv",
      "m,k,n,latency_us,mfu\n4096,2048,6144,190,0.1234\n8192,2048,6144,380,0.1234\n",
    );
    expect(check.mfu[0]).toMatchObject({ peak: null });
    expect(findingOf(check, "mfu-peak")?.message).toMatch(
      /divided by about 4396 TFLOP\/s, which is no known GPU's peak/,
    );
  });

  it("lists rows whose MFU does not follow from their latency", () => {
    const wrong = GEMM_1146.replace("0.834", "0.534").concat(
      "128,2048,6144,10.113,0.322\n256,2048,6144,11.402,0.571\n".repeat(3),
    );
    expect(findingOf(checkFile("gemm/h100/data.csv", wrong), "mfu-disagrees")).toMatchObject({
      rows: [4],
      severity: "warning",
    });
  });
});

describe("rows", () => {
  it("faster than FLOPs at peak are errors, with the factor", () => {
    const check = checkFile(
      "gemm/h100/data.csv",
      "m,k,n,latency_us,dtype\n4096,4096,4096,69.45,bf16\n8192,8192,8192,1300,bf16\n",
    );
    const finding = findingOf(check, "faster-than-physics");
    expect(finding).toMatchObject({ severity: "error", rows: [2] });
    expect(finding?.message).toMatch(/1 rows are faster than H100 allows, worst row 2: 2× below FLOPs at peak/);
  });

  it("faster than memory but small enough for the cache are told apart", () => {
    const check = checkFile(
      "gemm/l40s/data.csv",
      "m,k,n,latency_us,dtype\n1,4096,4096,20,bf16\n1,16384,16384,600,bf16\n",
    );
    expect(findingOf(check, "cache-resident")).toMatchObject({ severity: "warning", rows: [2] });
    expect(findingOf(check, "faster-than-physics")).toMatchObject({ rows: [3] });
  });

  it("of fp8 kernels that read fp8 input are told apart", () => {
    const check = checkFile("gemm/h800/data.csv", "m,k,n,latency_us,dtype\n4096,65536,128,100,fp8\n");
    expect(findingOf(check, "input-not-quantised")).toMatchObject({ severity: "warning", rows: [2] });
  });

  it("with missing, zero and malformed cells are all listed", () => {
    const check = checkFile(
      "gemm/h100/data.csv",
      "m,k,n,latency_us,mfu\n8,4096,6144,,0.1\n8,0,6144,9,0.1\n8,4096,6144,9,x\n8,4096,6144,20,0.1\n",
    );
    expect(check.findings.filter(({ kind }) => kind === "bad-cell").map(({ rows }) => rows)).toEqual([[2], [3], [4]]);
    expect(check.numRows).toBe(1);
  });

  it("that repeat a shape are reported with their spread", () => {
    const check = checkFile("gemm/h100/data.csv", "m,k,n,latency_us\n8,4096,6144,20\n8,4096,6144,30\n");
    expect(findingOf(check, "duplicate")).toMatchObject({ severity: "warning", rows: [2, 3] });
    expect(findingOf(check, "duplicate")?.message).toMatch(/1\.5× apart/);
  });

  it("that get faster as the shape grows are reported, noise apart", () => {
    const rows = (us: number) =>
      `dtype,kv_dtype,batch_size,kv_len,latency_us\nbf16,bf16,1,1024,241.4\nbf16,bf16,1,4096,${us}\n`;
    const check = checkFile("mha/decode/h800/32-2-128.csv", rows(25.68));
    expect(findingOf(check, "falling")).toMatchObject({ severity: "warning", rows: [3] });
    expect(findingOf(checkFile("mha/decode/h800/32-2-128.csv", rows(235)), "falling")).toBeUndefined();
  });
});

describe("files", () => {
  it("without header, of unknown GPUs, with odd names or unreadable are reported, not fatal", () => {
    const headless = checkFile("mha/decode/h20/64-2-128.csv", "bf16,bf16,1,1024,25.4893,0.009\n");
    expect(findingOf(headless, "no-header")).toMatchObject({ severity: "warning" });
    const unknown = checkFile("gemm/tpu9/data.csv", GEMM_1146);
    expect(unknown.gpuId).toBeNull();
    expect(findingOf(unknown, "unknown-gpu")?.message).toMatch(/no GPU is called tpu9/);
    expect(findingOf(unknown, "mfu-peak")?.message).toMatch(/989\.5 TFLOP\/s/);
    expect(
      findingOf(
        checkFile("mha/decode/h100/llama.csv", "dtype,kv_dtype,batch_size,kv_len,latency_us\nbf16,bf16,1,2,30\n"),
        "bad-name",
      ),
    ).toMatchObject({ severity: "error" });
    expect(findingOf(checkFile("gemm/h100/data.csv", "a,b\n1,2\nx"), "unreadable")).toMatchObject({
      severity: "error",
    });
    expect(findingOf(checkFile("gemm/h100/data.csv", "m,k\n1,2\n"), "unreadable")?.message).toMatch(
      /^row 1, column n: /,
    );
  });

  it("outside the layout are named, and a folder without tables is an error", () => {
    const dir = join(folder, "stray");
    mkdirSync(dir);
    writeFileSync(join(dir, "linear.csv"), "a\n");
    const report = checkBenchData(dir, gpus);
    expect(report).toMatchObject({ tables: [], strayFiles: ["linear.csv"], severity: "error" });
    expect(formatBenchDataCheck(report)).toMatch(
      /outside the layout, not looked at: linear\.csv\n.*no tables; expected gemm/,
    );
  });

  it("print as one block per table and a summary", () => {
    const dir = join(folder, "printed");
    mkdirSync(join(dir, "mha/prefill/h100"), { recursive: true });
    writeFileSync(join(dir, "mha/prefill/h100/32-32-128.csv"), PREFILL_4222);
    const lines = formatBenchDataCheck(checkBenchData(dir, gpus)).split("\n");
    expect(lines[0]).toBe("mha/prefill/h100/32-32-128.csv  (H100, 5 rows)");
    expect(lines[1]).toMatch(/^ {2}error {3}mfu: was divided by the peak of H20 bf16/);
    expect(lines.at(-2)).toBe("1 table, 5 rows: 2 errors, 0 warnings, 0 notes");
  });
});

const infersim = sharedFile("kernel_data/infersim");
const h100Tables = sharedFile("kernel_data/h100");

/** Peak in TFLOP/s per family and GPU folder of the published tables. */
const PUBLISHED_PEAKS: Readonly<Record<string, number>> = {
  "gemm h20": 296,
  "gemm h800": 1979,
  "mha/prefill h20": 148,
  "mha/decode h20": 148,
  "mha/decode h800": 989.5,
  "mla/prefill h800": 989.5,
  "mla/decode h20": 148,
  "mla/decode h800": 989.5,
  "dsa/prefill/attn h800": 989.5,
  "dsa/decode/attn h800": 989.5,
  "dsa/prefill/logits h800": 1979,
  "dsa/decode/logits h800": 1979,
  "grouped_gemm/prefill h20": 296,
  "grouped_gemm/prefill h800": 1979,
  "grouped_gemm/decode h20": 296,
  "grouped_gemm/decode h800": 1979,
};

describe("other people's tables", () => {
  it.skipIf(infersim === null)("InferSim's: every peak found, the known defects flagged, nothing impossible", () => {
    const { tables, severity } = checkBenchData(infersim!, gpus);
    for (const { family, gpuFolder, mfu } of tables) {
      for (const { peak } of mfu)
        expect(peak!.flopsPerS / 1e12).toBeCloseTo(PUBLISHED_PEAKS[`${family} ${gpuFolder}`]!, 0);
    }
    const withKind = (kind: CheckKind) => tables.filter((table) => findingOf(table, kind)).map(({ path }) => path);
    const wrongLatency = findingOf(tables.find(({ path }) => path === "mha/decode/h20/32-4-128.csv")!, "mfu-disagrees");
    expect(wrongLatency?.rows).toEqual([25]);
    expect(withKind("no-header")).toEqual(["mha/decode/h20/64-2-128.csv"]);
    expect(withKind("mfu-rounding")).toEqual(["16-2", "32-2", "32-8"].map((name) => `mha/decode/h800/${name}-128.csv`));
    expect(withKind("input-not-quantised")).toEqual(["gemm/h800/data.csv"]);
    expect(withKind("duplicate")).toEqual(["gemm/h20/data.csv"]);
    expect(withKind("mfu-above-one")).toEqual([]);
    expect(withKind("faster-than-physics")).toEqual([]);
    expect(severity).toBe("warning");
  });

  it.skipIf(h100Tables === null)("the H100 set: fp8 GEMMs, bf16 attention, zeros from rounding", () => {
    const { tables, strayFiles } = checkBenchData(h100Tables!, gpus);
    for (const { family, mfu } of tables) {
      expect(mfu[0]?.agreement).toBe(1);
      expect(mfu[0]?.peak?.owners).toContainEqual({ gpuId: "H100", dtype: family === "gemm" ? "fp8" : "bf16" });
    }
    expect(tables.filter((table) => findingOf(table, "mfu-rounding"))).toHaveLength(15);
    expect(tables.flatMap(({ findings }) => findings).filter(({ severity }) => severity === "error")).toEqual([]);
    expect(strayFiles).toHaveLength(3);
  });
});
