import { describe, expect, it } from "vitest";
import { guidellmSweepRates } from "../../../../../src/core/analysis/sweep/guidellmSweepRates.js";

describe("guidellmSweepRates", () => {
  it("gives the rates of a measured sweep of five benchmarks", () => {
    const rates = guidellmSweepRates(0.5954597877769882, 1.0860708938359724, 5);
    expect(rates).toHaveLength(3);
    expect(rates[0]).toBeCloseTo(0.758996823, 9);
    expect(rates[1]).toBeCloseTo(0.922533858, 9);
    expect(rates[2]).toBe(1.0860708938359724);
  });

  it("has none where a calibration run served nothing, or the sweep is nothing but calibration", () => {
    expect(guidellmSweepRates(0, 1, 5)).toEqual([]);
    expect(guidellmSweepRates(1, Number.NaN, 5)).toEqual([]);
    expect(guidellmSweepRates(1, 2, 2)).toEqual([]);
  });
});
