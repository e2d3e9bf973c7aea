import { describe, expect, it } from "vitest";
import {
  overheadChecks,
  overheadChoices,
  SWEPT_OVERHEADS_MS,
  sweepOverheads,
} from "../../../../../src/core/evaluation/hypotheses/overheadSweep.js";
import { comparison } from "./comparisons.js";

describe("the overhead sweep", () => {
  // Every experiment lacks 4 ms of a 10 ms step.
  const names = [10, 11, 12, 13, 14, 15, 16];
  const sweep = {
    base: names.map((stepMs) => comparison({ tpot: [stepMs, stepMs - 4] })),
    byOverhead: SWEPT_OVERHEADS_MS.map((overheadMs) =>
      names.map((stepMs) => comparison({ tpot: [stepMs, stepMs - 4 + overheadMs] })),
    ),
  };

  it("finds a planted constant on every split, and judges it on what it has not seen", () => {
    const choices = overheadChoices(sweep);
    expect(choices.map(({ overheadMs }) => overheadMs)).toEqual([4, 4, 4, 4, 4]);
    for (const { tpotImprovement } of choices) {
      expect(tpotImprovement).toBeGreaterThan(400 / 16);
      expect(tpotImprovement).toBeLessThan(400 / 10);
    }
    expect(new Set(choices.map(({ tpotImprovement }) => tpotImprovement)).size).toBeGreaterThan(1);
    expect(overheadChecks(choices).map(({ holds }) => holds)).toEqual([true, true]);
  });

  it("stops once every experiment is too slow, and chooses as the whole sweep does", () => {
    const tried: number[] = [];
    const short = sweepOverheads(sweep.base, (overheadMs) => {
      tried.push(overheadMs);
      return sweep.byOverhead[SWEPT_OVERHEADS_MS.indexOf(overheadMs)]!;
    });
    expect(tried).toEqual([0, 1, 2, 3, 4]);
    expect(overheadChoices(short)).toEqual(overheadChoices(sweep));
    // One experiment that is still too fast keeps it going.
    const fast = comparison({ tpot: [100, 50] });
    const { byOverhead } = sweepOverheads(sweep.base, (overheadMs) => [...sweep.byOverhead[overheadMs]!, fast]);
    expect(byOverhead.length).toBe(SWEPT_OVERHEADS_MS.length);
  });

  it("fails where no constant helps", () => {
    const perfect = {
      base: names.map((ms) => comparison({ tpot: [ms, ms] })),
      byOverhead: sweep.byOverhead.map((_, i) => names.map((ms) => comparison({ tpot: [ms, ms + i] }))),
    };
    expect(overheadChoices(perfect).every(({ overheadMs }) => overheadMs === 0)).toBe(true);
    expect(overheadChecks(overheadChoices(perfect))[0]!.holds).toBe(false);
  });

  it("does not let TTFT pay for TPOT", () => {
    const costly = {
      base: names.map((ms) => comparison({ tpot: [ms, ms - 4], ttft: [100, 100] })),
      byOverhead: sweep.byOverhead.map((_, i) =>
        names.map((ms) => comparison({ tpot: [ms, ms - 4 + i], ttft: [100, 100 + i] })),
      ),
    };
    expect(overheadChecks(overheadChoices(costly)).map(({ holds }) => holds)).toEqual([true, false]);
  });
});
