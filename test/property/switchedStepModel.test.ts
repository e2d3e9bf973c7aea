import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HYPOTHESES, type Hypothesis } from "../../src/core/config/pricingConfig.js";
import { gpuRoofs } from "../../src/core/kernels/gpuRoofs.js";
import { prefillWeight } from "../../src/core/stepmodel/mixedWeights.js";
import { RooflineV1StepModel } from "../../src/core/stepmodel/rooflineV1StepModel.js";
import { isFullModel, stepSwitches } from "../../src/core/stepmodel/stepSwitches.js";
import { SwitchedStepModel } from "../../src/core/stepmodel/switchedStepModel.js";
import {
  decodeRows,
  type PricedPlan,
  prefillRows,
  pricedPlan,
  stepRows,
  stepUs,
  toBatch,
} from "./stepModelArbitraries.js";

const SETTINGS = { seed: 20261126, numRuns: 200 };
const ROUNDING = 1 + 1e-9;

/** The plan with all corrections of the additive model but these. */
function without(off: readonly Hypothesis[], { plan, gpu }: PricedPlan, bandwidthFraction = 0.9): SwitchedStepModel {
  const switches = { hypotheses: new Set(HYPOTHESES.filter((name) => !off.includes(name))) };
  const shapes = { pricesRealShapes: true, pricesAllOperators: true };
  return new SwitchedStepModel(plan, { switches: { ...switches, ...shapes }, roofs: gpuRoofs(gpu), bandwidthFraction });
}

describe("the switched model", () => {
  it("with everything on is the additive model: the same total, the same components", () => {
    fc.assert(
      fc.property(pricedPlan, stepRows, (priced, rows) => {
        const switched = without([], priced);
        expect(switched.componentNames).toEqual(priced.model.componentNames);
        const ours = new Float64Array(switched.componentNames.length);
        const theirs = new Float64Array(switched.componentNames.length);
        const total = switched.gpuUs(toBatch(rows), ours);
        expect(total / priced.model.gpuUs(toBatch(rows), theirs), priced.label).toBeCloseTo(1, 9);
        for (const [slot, us] of ours.entries()) expect(Math.abs(us - theirs[slot]!)).toBeLessThanOrEqual(1e-9 * total);
      }),
      SETTINGS,
    );
  });

  it("without H4 is never slower: the maximum of two sums is at most the sum of maxima", () => {
    fc.assert(
      fc.property(pricedPlan, stepRows, (priced, rows) => {
        expect(stepUs(without(["H4"], priced), rows)).toBeLessThanOrEqual(stepUs(priced.model, rows) * ROUNDING);
      }),
      SETTINGS,
    );
  });

  it("without H5 lies between its two phases as steps of their own, and never above both after one another", () => {
    fc.assert(
      fc.property(pricedPlan, decodeRows, prefillRows, (priced, decodeContexts, chunks) => {
        const waitsUs = priced.model
          .breakdown(toBatch({ decodeContexts, chunks }))
          .waits.reduce((sum, { us }) => sum + us, 0);
        const prefill = stepUs(priced.model, { decodeContexts: [], chunks }) - waitsUs;
        const decode = stepUs(priced.model, { decodeContexts, chunks: [] }) - waitsUs;
        const mixed = stepUs(without(["H5"], priced), { decodeContexts, chunks }) - waitsUs;
        const numPrefillTokens = chunks.reduce((sum, { newTokens }) => sum + newTokens, 0);
        const weight = prefillWeight(numPrefillTokens, decodeContexts.length);
        expect(mixed / (weight * prefill + (1 - weight) * decode), priced.label).toBeCloseTo(1, 6);
      }),
      SETTINGS,
    );
  });

  it("without H3 does the same matrix work in more kernels", () => {
    fc.assert(
      fc.property(pricedPlan, stepRows, (priced, rows) => {
        const fused = priced.model.breakdown(toBatch(rows)).components;
        const split = without(["H3"], priced).breakdown(toBatch(rows)).components;
        const flops = (list: typeof fused) =>
          list.reduce((sum, { operator }) => sum + operator.flops * operator.count, 0);
        const weightBytes = (list: typeof fused) =>
          list.reduce((sum, { operator }) => sum + operator.weightBytes * operator.count, 0);
        expect(split.length).toBeGreaterThan(fused.length);
        expect(flops(split) / flops(fused), priced.label).toBeCloseTo(1, 9);
        expect(weightBytes(split) / weightBytes(fused), priced.label).toBeCloseTo(1, 9);
      }),
      SETTINGS,
    );
  });
});

describe("roofline-v1", () => {
  it("is no faster than one roof over all its work, except where it blends the phases", () => {
    fc.assert(
      fc.property(
        pricedPlan,
        fc.oneof(
          decodeRows.map((decodeContexts) => ({ decodeContexts, chunks: [] })),
          prefillRows.map((chunks) => ({ decodeContexts: [], chunks })),
        ),
        ({ plan, gpu, label }, rows) => {
          const model = new RooflineV1StepModel(plan, gpuRoofs(gpu));
          const { components } = model.breakdown(toBatch(rows));
          const floor = (roofUs: (part: (typeof components)[number]) => number) =>
            components.reduce((sum, part) => sum + part.operator.count * roofUs(part), 0);
          const memoryUs = floor(
            ({ operator }) =>
              (operator.weightBytes + operator.activationBytes + operator.kvReadBytes + operator.kvWriteBytes) /
              gpuRoofs(gpu).bytesPerUs,
          );
          const peak = plan.dtypes.weightDtype === "fp8" ? gpuRoofs(gpu).fp8FlopsPerUs : gpuRoofs(gpu).bf16FlopsPerUs;
          const computeUs = floor(({ operator }) => operator.flops / peak);
          expect(stepUs(model, rows) * ROUNDING, label).toBeGreaterThanOrEqual(Math.max(memoryUs, computeUs));
        },
      ),
      SETTINGS,
    );
  });
});

describe("the switches", () => {
  it("start with all on for the additive model and none for roofline-v2, and toggle from there", () => {
    expect(isFullModel(stepSwitches("additive", new Set())!)).toBe(true);
    expect([...stepSwitches("additive", new Set(["H2"] as const))!.hypotheses]).toEqual(["H1", "H3", "H4", "H5", "H6"]);
    expect([...stepSwitches("roofline-v2", new Set())!.hypotheses]).toEqual([]);
    expect([...stepSwitches("roofline-v2", new Set(["H6"] as const))!.hypotheses]).toEqual(["H6"]);
    expect(isFullModel(stepSwitches("roofline-v2", new Set(HYPOTHESES))!)).toBe(false);
    expect(stepSwitches("roofline-v1", new Set())).toBeNull();
  });
});

describe("the weight of prefill in a blended step", () => {
  it.each([
    [0, 7, 0],
    [7, 0, 1],
    [512, 100, 0.75],
    [401, 100, 0.75],
    [400, 100, 0.8],
    [99, 10, 99 / 109],
    [10, 51, 0.35],
    [10, 50, 10 / 60],
    [200, 200, 0.5],
  ])("of %i prefill and %i decode tokens is %f", (numPrefill, numDecode, weight) => {
    expect(prefillWeight(numPrefill, numDecode)).toBeCloseTo(weight, 12);
  });
});
