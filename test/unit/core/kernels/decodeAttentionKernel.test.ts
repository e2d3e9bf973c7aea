import { describe, expect, it } from "vitest";
import { createStream } from "../../../../src/core/des/streams.js";
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

describe.each(["H100", "H200", "A100-80", "L40S", "B200"])("the price of a decode step on %s", (gpuId) => {
  const roofs = gpuRoofs(loadGpu(gpuId));
  const { bf16, fp8 } = loadGpuEfficiency(gpuId)!.decodeAttention;
  const shapes = [
    [32, 8],
    [4, 1],
    [64, 8],
    [32, 32],
    [16, 2],
  ] as const;
  const costs = (["bf16", "fp8"] as const).flatMap((kvDtype) =>
    shapes.map(([numHeads, numKvHeads]) => {
      const fit = kvDtype === "fp8" ? (fp8 ?? bf16) : bf16;
      return () =>
        new DecodeAttentionCost(fit, compileDecodeSurfaces(fit), roofs, {
          numHeads,
          numKvHeads,
          headDim: 128,
          kvDtype,
        });
    }),
  );

  it("rises with the context of a row alone but for dips of 2 %, so that one price bounds those of shorter rows", () => {
    for (const make of costs) {
      const cost = make();
      let most = 0;
      for (let tokens = 1; tokens < 300_000; tokens = Math.ceil(tokens * 1.013)) {
        const us = cost.rowsUs(1, tokens);
        if (us < most / 1.02) expect(us, `${tokens} tokens`).toBeGreaterThanOrEqual(most / 1.02);
        most = Math.max(most, us);
      }
    }
  });

  it("is that of all rows or that of the longest alone, whatever was asked before", () => {
    const next = createStream(7, gpuId);
    for (const make of costs) {
      const cost = make();
      for (let i = 0; i < 400; i++) {
        const numRequests = 1 + Math.floor(next() * 300 * next());
        const maxContextTokens = 1 + Math.floor(131_000 * next() ** 6);
        const sum = maxContextTokens + Math.floor((numRequests - 1) * maxContextTokens * next() ** 2);
        const fresh = make();
        const longestUs = fresh.rowsUs(1, maxContextTokens);
        expect(cost.us(numRequests, sum, maxContextTokens)).toBe(Math.max(fresh.rowsUs(numRequests, sum), longestUs));
      }
    }
  });
});
