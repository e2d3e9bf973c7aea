import { describe, expect, it } from "vitest";
import type { PrefillAttentionEfficiency } from "../../../../src/core/kernels/gpuEfficiency.js";
import { PrefillAttentionCost } from "../../../../src/core/kernels/prefillAttentionKernel.js";

const ROOFS = { bytesPerUs: 3e6, bf16FlopsPerUs: 1e9, fp8FlopsPerUs: 2e9, numSms: 100, linkBytesPerUs: 4e5 };
const HEADS = { numHeads: 8, numKvHeads: 2, headDim: 128, kvDtype: "bf16", slidingWindow: 0 } as const;
/** Only token work: 1 ns per head and token up to 1000 positions, then proportional to the position. */
const WORK_ONLY: PrefillAttentionEfficiency = {
  launchUs: 0,
  waveUs: 0,
  memoryEfficiency: 1,
  tileLatencyFraction: 0,
  kvHeadTokenPs: 0,
  contextTokens: [1000],
  headTokenPs: [1000],
};

/** µs of token work when KV streaming is negligible. */
function workUs(newTokens: number, contextTokens: number, slidingWindow = 0): number {
  const cost = new PrefillAttentionCost(WORK_ONLY, { ...ROOFS, bytesPerUs: 1e12 }, { ...HEADS, slidingWindow });
  cost.add(newTokens, contextTokens);
  return cost.us();
}

describe("PrefillAttentionCost", () => {
  it("integrates the cost per token over the positions", () => {
    expect(workUs(500, 0)).toBeCloseTo(8 * 500 * 1e-3, 6);
    // Beyond the last knot the cost is proportional to the position: ∫ p/1000 from 1000 to 2000 = 1500.
    expect(workUs(1000, 1000)).toBeCloseTo(8 * 1500 * 1e-3, 6);
    expect(workUs(2000, 0)).toBeCloseTo(8 * 2500 * 1e-3, 6);
  });

  it("stops growing at the sliding window", () => {
    expect(workUs(100, 5000, 1000)).toBeCloseTo(8 * 100 * 1e-3, 6);
    expect(workUs(100, 5000, 1000)).toBeLessThan(workUs(100, 5000));
  });

  it("pays one launch for all chunks of a step, and starts afresh after a reset", () => {
    const cost = new PrefillAttentionCost({ ...WORK_ONLY, launchUs: 10 }, { ...ROOFS, bytesPerUs: 1e12 }, HEADS);
    expect(cost.us()).toBe(0);
    cost.add(100, 0);
    cost.add(100, 0);
    expect(cost.us()).toBeCloseTo(10 + 8 * 200 * 1e-3, 6);
    cost.reset();
    expect(cost.us()).toBe(0);
  });

  it("streams the KV of a long context for a short chunk", () => {
    const cost = new PrefillAttentionCost(WORK_ONLY, ROOFS, HEADS);
    cost.add(1, 100_000);
    expect(cost.us()).toBeGreaterThanOrEqual((2 * 2 * 100_001 * 2 * 128) / ROOFS.bytesPerUs);
  });
});

describe("the tail of the longest tile", () => {
  /** What the tail adds to a chunk of one full tile. */
  function tailUs(contextTokens: number, slidingWindow: number): number {
    const us = (tileLatencyFraction: number) => {
      const cost = new PrefillAttentionCost({ ...WORK_ONLY, tileLatencyFraction }, ROOFS, { ...HEADS, slidingWindow });
      cost.add(128, contextTokens);
      return cost.us();
    };
    return us(1) - us(0);
  }

  it("is as long as the context for full attention", () => {
    // 128 rows × 128 dims × 4 FLOPs per position, on one of 100 SMs of 1e9 FLOP/µs: 6.5536e-3 µs per position.
    expect(tailUs(9872, 0)).toBeCloseTo(65.536, 6);
    expect(tailUs(99_872, 0)).toBeCloseTo(655.36, 6);
  });

  it("is as long as the sliding window behind it", () => {
    expect(tailUs(9872, 1000)).toBeCloseTo(6.5536, 6);
    expect(tailUs(99_872, 1000)).toBeCloseTo(6.5536, 6);
    expect(tailUs(372, 1000)).toBeCloseTo(3.2768, 6);
  });

  it("does not make a windowed chunk dearer at 100k than at 10k", () => {
    const fit = { ...WORK_ONLY, launchUs: 10, waveUs: 1, tileLatencyFraction: 0.5, kvHeadTokenPs: 100 };
    const us = (contextTokens: number) => {
      const cost = new PrefillAttentionCost(fit, ROOFS, { ...HEADS, slidingWindow: 4096 });
      cost.add(512, contextTokens);
      return cost.us();
    };
    expect(us(100_000)).toBeCloseTo(us(10_000), 9);
  });
});
