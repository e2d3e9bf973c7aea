import { describe, expect, it } from "vitest";
import { gpuRoofs } from "../../../../../src/core/kernels/gpuRoofs.js";
import { physicalFloor } from "../../../../../src/core/kernels/tables/physicalFloor.js";
import {
  allReduceRowOperator,
  decodeRowOperator,
  gemmRowOperator,
  groupedGemmRowOperator,
  prefillRowOperator,
} from "../../../../../src/core/kernels/tables/rowOperator.js";
import { operatorBytes } from "../../../../../src/core/model/operator.js";
import { loadGpu } from "../../../../../src/io/catalog.js";

const roofs = gpuRoofs(loadGpu("H100"));
const heads = { numHeads: 32, numKvHeads: 8, headDim: 128, kvDtype: "bf16" as const };

describe("row operators", () => {
  it("count a GEMM's FLOPs and bytes by its dtype", () => {
    const shape = { m: 64, k: 4096, n: 6144 };
    expect(gemmRowOperator({ ...shape, dtype: "bf16" })).toMatchObject({ flops: 3221225472, weightBytes: 50331648 });
    expect(gemmRowOperator({ ...shape, dtype: "fp8" })).toMatchObject({ flops: 3221225472, weightBytes: 25165824 });
  });

  it("count causal pairs in prefill, and every cached token in decode", () => {
    const prefill = prefillRowOperator({ ...heads, seqLen: 1024, contextLen: 0, batchSize: 2 });
    expect(prefill.flops).toBe(2 * 4 * 32 * 128 * ((1024 * 1025) / 2));
    const decode = decodeRowOperator({ ...heads, batchSize: 16, kvLen: 1000 });
    expect(decode.kvReadBytes).toBe(16 * 1000 * 2 * 8 * 128 * 2);
    expect(decode.dims).toMatchObject({ numRequests: 16, sumContextTokens: 16000 });
  });

  it("give an expert-parallel GPU its share of tokens and experts", () => {
    const shape = {
      numTokens: 256,
      numExperts: 64,
      numLocalExperts: 64,
      topK: 8,
      hiddenSize: 2048,
      intermediateSize: 768,
      dtype: "bf16" as const,
    };
    const whole = groupedGemmRowOperator(shape);
    const quarter = groupedGemmRowOperator({ ...shape, numLocalExperts: 16 });
    expect(whole.flops).toBe(2 * 256 * 8 * 3 * 2048 * 768);
    expect(quarter.flops).toBe(whole.flops / 4);
    expect(quarter.weightBytes).toBe(whole.weightBytes / 4);
    expect(quarter.dims).toMatchObject({ numLocalExperts: 16 });
  });

  it("give a collective its message", () => {
    expect(allReduceRowOperator({ numRanks: 4, messageBytes: 2 ** 20 }).dims).toMatchObject({
      numRanks: 4,
      messageBytes: 2 ** 20,
    });
  });
});

describe("physicalFloor", () => {
  it("is FLOPs at the dtype's peak for a large GEMM", () => {
    const bf16 = gemmRowOperator({ m: 8192, k: 8192, n: 8192, dtype: "bf16" });
    expect(physicalFloor(bf16, roofs).boundBy).toBe("compute");
    expect(physicalFloor(bf16, roofs).us).toBeCloseTo(bf16.flops / 989.5e6, 6);
    expect(physicalFloor(gemmRowOperator({ m: 8192, k: 8192, n: 8192, dtype: "fp8" }), roofs).us).toBeCloseTo(
      bf16.flops / 1979e6,
      6,
    );
  });

  it("is bytes at peak bandwidth for a small one, and the message over one link for an all-reduce", () => {
    const small = gemmRowOperator({ m: 1, k: 8192, n: 8192, dtype: "bf16" });
    expect(physicalFloor(small, roofs)).toMatchObject({ us: operatorBytes(small) / 3.35e6, boundBy: "memory" });
    const message = allReduceRowOperator({ numRanks: 8, messageBytes: 45e6 });
    expect(physicalFloor(message, roofs)).toMatchObject({ us: 100, boundBy: "network" });
  });
});
