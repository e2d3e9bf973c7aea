import { describe, expect, it } from "vitest";
import { DecodeAttentionCost } from "../../../../src/core/kernels/decodeAttentionKernel.js";
import { createEfficiencyKernelModel } from "../../../../src/core/kernels/efficiencyKernelModel.js";
import { gpuRoofs } from "../../../../src/core/kernels/gpuRoofs.js";
import type { OperatorDims } from "../../../../src/core/model/operator.js";
import { loadGpu, loadGpuEfficiency } from "../../../../src/io/catalog.js";
import { dimsOperator } from "../../../reference/dimsOperator.js";

const h100 = createEfficiencyKernelModel(loadGpu("H100"), loadGpuEfficiency("H100")!, "modelled");
const price = (dims: OperatorDims) => h100.price(dimsOperator(dims));

const GEMM = { category: "gemm", m: 16, k: 8192, n: 8192, weightDtype: "bf16" } as const;
const DECODE = {
  category: "attention-decode",
  numHeads: 16,
  numKvHeads: 2,
  headDim: 128,
  kvDtype: "bf16",
  slidingWindow: 0,
  numRequests: 32,
  sumContextTokens: 32 * 700,
  maxContextTokens: 700,
} as const;

describe("the H100 kernel model", () => {
  it("gives the µs of a price alone to the last bit", () => {
    for (let i = 1; i <= 300; i++) {
      const maxContextTokens = 1 + ((i * 7919) % 60_000);
      const numRequests = 1 + ((i * 31) % 250);
      const sumContextTokens = maxContextTokens + Math.floor(((numRequests - 1) * maxContextTokens * (i % 10)) / 10);
      const operator = dimsOperator({ ...DECODE, numRequests, sumContextTokens, maxContextTokens });
      expect(h100.us?.(operator)).toBe(h100.price(operator).us);
    }
    const product = dimsOperator(GEMM);
    expect(h100.us?.(product)).toBe(h100.price(product).us);
  });

  it("agrees with vLLM's all-reduce inside CUDA graphs: 8 kB over 2, 4, 8 GPUs", () => {
    for (const [numRanks, us] of [
      [2, 4.4],
      [4, 4.8],
      [8, 4.9],
    ] as const) {
      const dims = { category: "collective", collective: "all-reduce", numRanks, messageBytes: 8192 } as const;
      expect(price(dims).us).toBeCloseTo(us, 1);
    }
  });

  it("adds the PyTorch sort: over 1 ms at batch 49 and a vocabulary of 152k", () => {
    const sample = { category: "sample", numRows: 49, vocabSize: 151_936, sortsLogits: true } as const;
    const sortUs = price(sample).us - price({ ...sample, sortsLogits: false }).us;
    expect(sortUs).toBeCloseTo(100 + 49 * 151_936 * 0.15e-3, 0);
  });

  it("prices small memory-bound kernels at 2 µs and large ones by bandwidth", () => {
    expect(price({ category: "norm", numTokens: 1 })).toMatchObject({ us: 2, boundBy: "launch" });
    expect(price({ category: "norm", numTokens: 8192 })).toMatchObject({ boundBy: "memory" });
  });

  it("says what binds a GEMM", () => {
    expect(price({ ...GEMM, k: 64, n: 64 }).boundBy).toBe("launch");
    expect(price(GEMM).boundBy).toBe("memory");
    expect(price({ ...GEMM, m: 8192 }).boundBy).toBe("compute");
  });

  it("makes smaller weights faster where memory binds, and fp8 where compute binds", () => {
    expect(price({ ...GEMM, weightDtype: "fp8" }).us).toBeLessThan(price(GEMM).us);
    expect(price({ ...GEMM, weightDtype: "int4" }).us).toBeLessThan(price(GEMM).us);
    expect(price({ ...GEMM, m: 8192, weightDtype: "fp8" }).us).toBeLessThan(0.75 * price({ ...GEMM, m: 8192 }).us);
    expect(price({ ...GEMM, weightDtype: "fp16" }).us).toBe(price(GEMM).us);
  });

  it("gives prefill and decode attention a launch they can share", () => {
    const prefill = { ...DECODE, category: "attention-prefill", chunks: [{ newTokens: 1, contextTokens: 0 }] } as const;
    expect(price(prefill).launchUs).toBeGreaterThan(8);
    expect(price(prefill).us).toBeLessThan(1.5 * price(prefill).launchUs);
    expect(price(DECODE).launchUs).toBeGreaterThan(8);
  });

  it("prices a prefill tail of one token about like one more decode row", () => {
    const context = 4095;
    const tail = price({
      ...DECODE,
      category: "attention-prefill",
      chunks: [{ newTokens: 1, contextTokens: context }],
    });
    const row = price({
      ...DECODE,
      numRequests: 1,
      sumContextTokens: context + 1,
    });
    expect(tail.us / row.us).toBeGreaterThan(0.6);
    expect(tail.us / row.us).toBeLessThan(1.6);
  });

  it("is pure: the same operator costs the same after other ones", () => {
    const before = price(DECODE);
    price({ ...DECODE, category: "attention-prefill", chunks: [{ newTokens: 900, contextTokens: 5 }] });
    price({ ...DECODE, kvDtype: "fp8" });
    expect(price(DECODE)).toEqual(before);
  });
});

describe("fp8 KV on a GPU without a fit for it", () => {
  const a100 = loadGpu("A100-80");
  const fitted = loadGpuEfficiency("A100-80")!;
  const { bf16 } = fitted.decodeAttention;
  const unfitted = { ...fitted, decodeAttention: { bf16, fp8: null } };
  const model = createEfficiencyKernelModel(a100, unfitted, "modelled");
  const decodeUs = (kvDtype: "bf16" | "fp8", numRequests: number, contextTokens: number) =>
    model.price(
      dimsOperator({
        ...DECODE,
        kvDtype,
        numRequests,
        sumContextTokens: numRequests * contextTokens,
        maxContextTokens: contextTokens,
      }),
    ).us;

  it.each([1024, 4096])("costs between half of bf16's and all of it, for a large batch (context %i)", (context) => {
    const bf16Us = decodeUs("bf16", 256, context);
    const fp8Us = decodeUs("fp8", 256, context);
    expect(fp8Us).toBeLessThanOrEqual(bf16Us);
    expect(fp8Us).toBeGreaterThanOrEqual(bf16Us / 2);
  });

  it("takes bf16's constants with its own bytes, and no correction fitted to other bytes", () => {
    for (const [numRequests, context] of [
      [1, 512],
      [32, 700],
      [256, 4096],
    ] as const) {
      const sum = numRequests * context;
      const bareUs = new DecodeAttentionCost(bf16, null, gpuRoofs(a100), {
        numHeads: 16,
        numKvHeads: 2,
        headDim: 128,
        kvDtype: "fp8",
      }).rowsUs(numRequests, sum);
      expect(decodeUs("fp8", numRequests, context)).toBeCloseTo(bareUs, 9);
    }
    // The correction would have mattered.
    const bareUs = new DecodeAttentionCost(bf16, null, gpuRoofs(a100), {
      numHeads: 16,
      numKvHeads: 2,
      headDim: 128,
      kvDtype: "bf16",
    }).rowsUs(32, 32 * 700);
    expect(Math.abs(decodeUs("bf16", 32, 700) / bareUs - 1)).toBeGreaterThan(0.005);
  });
});
