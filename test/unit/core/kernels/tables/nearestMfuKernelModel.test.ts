import { describe, expect, it } from "vitest";
import { FORMULA } from "../../../../../src/core/kernels/kernelLookup.js";
import type { KernelModel } from "../../../../../src/core/kernels/kernelModel.js";
import { NO_TABLES } from "../../../../../src/core/kernels/tables/kernelTable.js";
import { createNearestMfuKernelModel } from "../../../../../src/core/kernels/tables/nearestMfuKernelModel.js";
import { decodeRowOperator, prefillRowOperator } from "../../../../../src/core/kernels/tables/rowOperator.js";
import { gemmOperator } from "../../../../../src/core/model/gemmOperator.js";
import { loadGpu } from "../../../../../src/io/catalog.js";

const h100 = loadGpu("H100");
const FALLBACK_US = 12_345;
const fallback: KernelModel = {
  price: () => ({ us: FALLBACK_US, launchUs: 0, boundBy: "launch", efficiency: 1, source: "modelled" }),
  lookup: () => FORMULA,
};
const source = "measured" as const;
const dtype = "bf16" as const;

const gemmRows = [
  { m: 8, k: 4096, n: 4096, latencyUs: 20, dtype, source },
  { m: 64, k: 4096, n: 4096, latencyUs: 21, dtype, source },
  { m: 8, k: 8192, n: 8192, latencyUs: 60, dtype, source },
];
const heads = { numHeads: 32, numKvHeads: 8, headDim: 128, kvDtype: dtype };
const decodeRows = [
  { ...heads, batchSize: 1, kvLen: 1024, latencyUs: 30, source },
  { ...heads, batchSize: 16, kvLen: 1024, latencyUs: 60, source },
  { ...heads, batchSize: 16, kvLen: 4096, latencyUs: 200, source },
];
const prefillRows = [1024, 4096].map((seqLen) => ({
  ...heads,
  seqLen,
  contextLen: 0,
  batchSize: 1,
  latencyUs: seqLen / 10,
  source,
}));
const model = createNearestMfuKernelModel(
  h100,
  { ...NO_TABLES, gemm: gemmRows, decodeAttention: decodeRows, prefillAttention: prefillRows },
  fallback,
);

const gemmUs = (m: number, k: number, n: number) =>
  model.price(gemmOperator("x", 1, { m, k, n, weightDtype: dtype })).us;
const decodeUs = (batchSize: number, kvLen: number) =>
  model.price(decodeRowOperator({ ...heads, batchSize, kvLen })).us;

describe("nearest-row prices", () => {
  it("are a row's latency at the row", () => {
    for (const { m, k, n, latencyUs } of gemmRows) expect(gemmUs(m, k, n)).toBeCloseTo(latencyUs, 9);
    for (const { batchSize, kvLen, latencyUs } of decodeRows)
      expect(decodeUs(batchSize, kvLen)).toBeCloseTo(latencyUs, 9);
  });

  it("charge the FLOPs between rows at the MFU of the largest m below", () => {
    expect(gemmUs(63, 4096, 4096)).toBeCloseTo((20 * 63) / 8, 9);
    expect(gemmUs(64, 4096, 4096)).toBeCloseTo(21, 9);
    expect(gemmUs(4, 4096, 4096)).toBeCloseTo(Math.max(10, (2 * 4096 * 4096 + 4 * 8192 * 2) / 3.35e6), 6);
  });

  it("take the smallest matrix that holds the one asked for, else the largest", () => {
    expect(gemmUs(8, 4096, 4097)).toBeCloseTo((60 * 4096 * 4097) / 8192 ** 2, 9);
    expect(gemmUs(8, 16_384, 8192)).toBeCloseTo(120, 9);
  });

  it("take decode rows with no more requests and no longer context, the nearest of them", () => {
    expect(decodeUs(15, 4095)).toBeCloseTo((30 * 15 * 4095) / 1024, 6);
    expect(decodeUs(17, 4096)).toBeCloseTo((200 * 17) / 16, 6);
  });

  it("take the longest prompt up to the sequence, and the nearest heads where their own are missing", () => {
    const prompt = (seqLen: number, numHeads = 32) =>
      model.price(prefillRowOperator({ ...heads, numHeads, seqLen, contextLen: 0, batchSize: 1 })).us;
    expect(prompt(1024)).toBeCloseTo(102.4, 9);
    expect(prompt(4095) / prompt(1024)).toBeCloseTo((4095 * 4096) / (1024 * 1025), 6);
    expect(prompt(1024, 64)).toBeCloseTo(2 * prompt(1024), 6);
  });

  it("jump where another row becomes the nearest, which interpolation never does", () => {
    expect(gemmUs(63, 4096, 4096) / gemmUs(64, 4096, 4096)).toBeGreaterThan(7);
  });

  it("leave to the fallback what has no row", () => {
    expect(model.price(gemmOperator("x", 1, { m: 8, k: 64, n: 64, weightDtype: "fp8" })).us).toBe(FALLBACK_US);
  });

  it("are never faster than physics, whatever a table claims", () => {
    const liar = createNearestMfuKernelModel(
      h100,
      { ...NO_TABLES, gemm: [{ ...gemmRows[0]!, latencyUs: 1e-3 }] },
      fallback,
    );
    const price = liar.price(gemmOperator("x", 1, { m: 8, k: 4096, n: 4096, weightDtype: dtype }));
    expect(price.us).toBeGreaterThanOrEqual((2 * 4096 * 4096) / 3.35e6);
    expect(price.efficiency).toBeLessThanOrEqual(1);
  });

  it("tell how far away the row is that priced them", () => {
    const lookup = (m: number, k: number, n: number) =>
      model.lookup(gemmOperator("x", 1, { m, k, n, weightDtype: dtype }));
    expect(lookup(64, 4096, 4096)).toEqual({ kind: "nearest", lnDistance: 0 });
    expect(lookup(63, 4096, 4096)).toEqual({ kind: "nearest", lnDistance: Math.log(63 / 8) });
    expect(model.lookup(decodeRowOperator({ ...heads, batchSize: 16, kvLen: 2048 })).lnDistance).toBeCloseTo(
      Math.LN2,
      12,
    );
  });
});
