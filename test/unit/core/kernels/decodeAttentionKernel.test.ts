import { describe, expect, it } from "vitest";
import {
  compileDecodeSurfaces,
  DecodeAttentionCost,
  kvBytes,
} from "../../../../src/core/kernels/decodeAttentionKernel.js";
import type { DecodeAttentionEfficiency } from "../../../../src/core/kernels/gpuEfficiency.js";
import { gpuRoofs } from "../../../../src/core/kernels/gpuRoofs.js";
import { loadGpu, loadGpuEfficiency } from "../../../../src/io/catalog.js";

const ROOFS = { bytesPerUs: 3e6, bf16FlopsPerUs: 1e9, fp8FlopsPerUs: 2e9, numSms: 100, linkBytesPerUs: 4e5 };
/** A launch of 100 µs and next to no streaming, times e for each tenfold context beyond 1000 tokens. */
const BY_CONTEXT: DecodeAttentionEfficiency = {
  launchUs: 100,
  waveUs: 0,
  rampUs: 0,
  memoryEfficiency: 1,
  groupSurface: { knots: [[1], [100, 1000, 10_000], [1]], lnFactors: [-1, 0, 1] },
  kvHeadSurface: { knots: [[1], [1], [1]], lnFactors: [0] },
};

/** µs of one row with one KV head. */
function rowUs(contextTokens: number, headDim: number): number {
  const roofs = { ...ROOFS, bytesPerUs: 1e15 };
  const heads = { numHeads: 1, numKvHeads: 1, headDim, kvDtype: "bf16" } as const;
  return new DecodeAttentionCost(BY_CONTEXT, compileDecodeSurfaces(BY_CONTEXT), roofs, heads).rowsUs(1, contextTokens);
}

describe("decode attention's shape correction", () => {
  it("is read at the context for heads of 128", () => {
    expect(rowUs(1000, 128)).toBeCloseTo(100, 6);
    expect(rowUs(10_000, 128)).toBeCloseTo(100 * Math.E, 6);
  });

  it("is read at the context of as many KV bytes for other heads", () => {
    // 1000 tokens of 64 are the bytes of 500 of 128; log10(500 / 1000) = −log10(2).
    expect(rowUs(1000, 64)).toBeCloseTo(100 * Math.exp(-Math.log10(2)), 6);
    expect(rowUs(1000, 256)).toBeCloseTo(100 * Math.exp(Math.log10(2)), 6);
  });

  it.each([200, 700, 3000])("prices halved heads at a doubled context alike on an H100 (context %i)", (context) => {
    const fit = loadGpuEfficiency("H100")!.decodeAttention.bf16;
    const surfaces = compileDecodeSurfaces(fit);
    expect(surfaces).not.toBeNull();
    const us = (contextTokens: number, headDim: number) =>
      new DecodeAttentionCost(fit, surfaces, gpuRoofs(loadGpu("H100")), {
        numHeads: 16,
        numKvHeads: 2,
        headDim,
        kvDtype: "bf16",
      }).rowsUs(32, 32 * contextTokens);
    expect(kvBytes(2 * context, 2, 64, "bf16")).toBe(kvBytes(context, 2, 128, "bf16"));
    expect(us(2 * context, 64)).toBeCloseTo(us(context, 128), 9);
  });
});
