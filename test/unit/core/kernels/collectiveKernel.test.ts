import { describe, expect, it } from "vitest";
import { collectiveUs } from "../../../../src/core/kernels/collectiveKernel.js";

const ROOFS = { bytesPerUs: 3e6, bf16FlopsPerUs: 1e9, fp8FlopsPerUs: 2e9, numSms: 100, linkBytesPerUs: 4.5e5 };
const GROUPS = [
  { numRanks: 2, messageBytes: [1e3, 1e5, 1e7], us: [4, 5, 100] },
  { numRanks: 8, messageBytes: [1e3, 1e5, 1e7], us: [5, 14, 150] },
];
const allReduceUs = (numRanks: number, bytes: number) => collectiveUs(GROUPS, ROOFS, "all-reduce", numRanks, bytes);

describe("collectiveUs", () => {
  it("costs nothing for one rank or no bytes", () => {
    expect(allReduceUs(1, 1e6)).toBe(0);
    expect(allReduceUs(4, 0)).toBe(0);
  });

  it("returns the knots, interpolates log-log between them, and keeps latency and bandwidth beyond", () => {
    expect(allReduceUs(2, 1e5)).toBe(5);
    expect(allReduceUs(2, 1e4)).toBeCloseTo(Math.sqrt(4 * 5), 9);
    expect(allReduceUs(2, 10)).toBe(4);
    expect(allReduceUs(2, 1e8)).toBeCloseTo(1000, 9);
  });

  it("interpolates between group sizes and rises beyond the largest", () => {
    expect(allReduceUs(4, 1e3)).toBeCloseTo(4 ** 0.5 * 5 ** 0.5, 9);
    expect(allReduceUs(16, 1e5)).toBeGreaterThan(allReduceUs(8, 1e5));
  });

  it("charges an all-gather as an all-reduce of half the size", () => {
    expect(collectiveUs(GROUPS, ROOFS, "all-gather", 2, 2e5)).toBe(allReduceUs(2, 1e5));
  });
});
