import { describe, expect, it } from "vitest";
import { checkWords } from "../../../../../src/core/evaluation/hypotheses/finding.js";
import {
  bandwidthChecks,
  fusionChecks,
  interpolationChecks,
  mixChecks,
  perKernelChecks,
  type ReplayedPair,
} from "../../../../../src/core/evaluation/hypotheses/realChecks.js";
import { comparison } from "./comparisons.js";

/** Measured 100 everywhere: errors are what the predictions miss of it. */
function pair(off: number, on: number, traits: Partial<ReplayedPair> = {}): ReplayedPair {
  const of = (predicted: number) => comparison({ e2e: [100, predicted], tpot: [100, predicted] });
  return { experiment: "run", isGqa: false, memoryBoundFraction: 0.5, on: of(on), off: of(off), ...traits };
}

const holds = (checks: readonly { holds: boolean | null }[]) => checks.map((check) => check.holds);
const values = (checks: readonly { value: number }[]) => checks.map(({ value }) => Math.round(value * 1e6) / 1e6);

describe("the checks on real runs", () => {
  it("H1 asks for 3 points of TPOT, and for more where memory binds", () => {
    const pairs = [pair(80, 99, { memoryBoundFraction: 0.9 }), pair(90, 95, { memoryBoundFraction: 0.3 })];
    expect(values(bandwidthChecks(pairs))).toEqual([12, 14]);
    expect(holds(bandwidthChecks(pairs))).toEqual([true, true]);
    expect(
      holds(bandwidthChecks(pairs.map((each) => ({ ...each, memoryBoundFraction: 1 - each.memoryBoundFraction })))),
    ).toEqual([true, false]);
    expect(holds(bandwidthChecks([pair(97, 99), pair(97, 99)]))[0]).toBe(false);
  });

  it("H3 asks for 2 points on GQA models, and for more there than on MHA models", () => {
    expect(values(fusionChecks([pair(110, 105, { isGqa: true }), pair(110, 107)]))).toEqual([5, 2]);
    expect(holds(fusionChecks([pair(110, 105, { isGqa: true }), pair(110, 101)]))).toEqual([true, false]);
  });

  it("H4 asks for 1 point", () => {
    expect(holds(perKernelChecks([pair(98, 99)]))).toEqual([true]);
    expect(holds(perKernelChecks([pair(98, 98.5)]))).toEqual([false]);
  });

  it("H5 asks for 2 points over both loads, and for more at the high one", () => {
    expect(values(mixChecks([pair(99, 100)], [pair(90, 99)]))).toEqual([5, 8]);
    expect(holds(mixChecks([pair(90, 99)], [pair(99, 100)]))).toEqual([true, false]);
    // An experiment without a high load counts for the improvement, not for the comparison of loads.
    const alone = pair(60, 100, { experiment: "other" });
    expect(values(mixChecks([pair(99, 100), alone], [pair(90, 99)]))[1]).toBe(8);
  });

  it("H6 asks for less spread, and lets the error grow by a point at most", () => {
    expect(holds(interpolationChecks([pair(99, 98.5)], { on: 0.1, off: 0.2 }))).toEqual([true, true]);
    expect(values(interpolationChecks([pair(99, 98.5)], { on: 0.1, off: 0.2 }))).toEqual([50, -0.5]);
    expect(holds(interpolationChecks([pair(99, 97)], { on: 0.2, off: 0.2 }))).toEqual([false, false]);
  });

  it("name the loads they look at: the lightest, and H5 the heaviest as well", () => {
    const pairs = [pair(98, 99)];
    const loads = (checks: readonly { loads: readonly string[] }[]) => checks.map((check) => check.loads.join());
    expect(loads(mixChecks(pairs, pairs))).toEqual(["lightest,heaviest", "lightest,heaviest"]);
    expect(loads([...perKernelChecks(pairs), ...bandwidthChecks(pairs)])).toEqual(["lightest", "lightest", "lightest"]);
  });

  it("tell a rise as a rise, and ask in the same words", () => {
    const worse = [pair(99, 97, { isGqa: true }), pair(99, 99)];
    expect(fusionChecks(worse).map(checkWords)).toEqual([
      { what: "GQA models' E2E |error| rises by", value: "2.0 points" },
      { what: "less than MHA models' by", value: "2.0 points" },
    ]);
    expect(fusionChecks(worse).map(({ required }) => required)).toEqual(["a fall ≥ 2", "more"]);
    expect(interpolationChecks(worse, { on: 0.3, off: 0.2 }).map(({ required }) => required)).toEqual([
      "a fall",
      "a rise ≤ 1",
    ]);
  });

  it("say nothing where there are no runs to say it from", () => {
    expect(holds(fusionChecks([pair(110, 101)]))).toEqual([null, null]);
    expect(holds(mixChecks([pair(90, 99)], []))).toEqual([true, null]);
  });
});
