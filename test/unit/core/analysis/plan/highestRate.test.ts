import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { highestRate, RATE_TOLERANCE } from "../../../../../src/core/analysis/plan/highestRate.js";

describe("highestRate", () => {
  it("brackets the rate above which a property fails, from any guess near it, in few trials", async () => {
    const rates = fc.double({ min: 0.01, max: 500, noNaN: true });
    const factors = fc.double({ min: 1 / 500, max: 12, noNaN: true });
    await fc.assert(
      fc.asyncProperty(rates, factors, async (limitPerS, factor) => {
        const found = await highestRate(
          limitPerS / factor,
          async (rate) => rate,
          (rate) => rate <= limitPerS,
        );
        expect(found.held!.ratePerS).toBeLessThanOrEqual(limitPerS);
        expect(found.failed!.ratePerS).toBeGreaterThan(limitPerS);
        expect(found.failed!.ratePerS / found.held!.ratePerS).toBeLessThanOrEqual(RATE_TOLERANCE);
        expect(found.numTrials).toBeLessThan(18);
      }),
      { seed: 20261126 },
    );
  });

  it("gives up where it holds nowhere, and where it holds everywhere", async () => {
    const never = await highestRate(10, async () => false, Boolean);
    expect(never.held).toBeNull();
    expect(never.failed!.ratePerS).toBeLessThan(0.02);
    const always = await highestRate(10, async () => true, Boolean);
    expect(always.failed).toBeNull();
    expect(always.held!.ratePerS).toBe(160);
  });
});
