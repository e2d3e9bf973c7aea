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
          { ratePerS: limitPerS / factor, step: 2 },
          async (rate) => rate,
          (rate) => rate <= limitPerS,
        );
        expect(found.held!.ratePerS).toBeLessThanOrEqual(limitPerS);
        expect(found.failed!.ratePerS).toBeGreaterThan(limitPerS);
        expect(found.failed!.ratePerS / found.held!.ratePerS).toBeLessThanOrEqual(RATE_TOLERANCE + 1e-9);
        expect(found.numTrials).toBeLessThan(18);
      }),
      { seed: 20261126 },
    );
  });

  it("needs few trials where the answer is near the first rate, and lets steps grow where it is not", async () => {
    const numTrialsTo = async (limitPerS: number) => {
      const first = { ratePerS: 10, step: RATE_TOLERANCE };
      const { held, failed, numTrials } = await highestRate(
        first,
        async (rate) => rate,
        (rate) => rate <= limitPerS,
      );
      expect(held!.ratePerS).toBeLessThanOrEqual(limitPerS);
      expect(failed!.ratePerS).toBeGreaterThan(limitPerS);
      return numTrials;
    };
    expect(await numTrialsTo(10.1)).toBe(2);
    expect(await numTrialsTo(9.9)).toBe(2);
    expect(await numTrialsTo(11)).toBeLessThanOrEqual(6);
    expect(await numTrialsTo(100)).toBeLessThan(16);
  });

  it("gives up where it holds nowhere, and where it holds everywhere", async () => {
    const never = await highestRate({ ratePerS: 10, step: 2 }, async () => false, Boolean);
    expect(never.held).toBeNull();
    expect(never.failed!.ratePerS).toBeLessThan(0.02);
    const always = await highestRate({ ratePerS: 10, step: 2 }, async () => true, Boolean);
    expect(always.failed).toBeNull();
    expect(always.held!.ratePerS).toBe(160);
  });
});
