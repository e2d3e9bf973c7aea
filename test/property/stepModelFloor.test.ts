import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GpuSpec } from "../../src/core/hardware/gpuSpec.js";
import { type Operator, operatorBytes } from "../../src/core/model/operator.js";
import { operators } from "../../src/core/model/operators.js";
import { US_PER_S } from "../../src/core/units/units.js";
import { type PricedPlan, pricedPlan, type StepRows, stepRows, stepUs, toBatch } from "./stepModelArbitraries.js";

const SETTINGS = { seed: 20260221, numRuns: 700 };
/** Sums over operators run in another order than the model's. */
const ROUNDING = 1 - 1e-9;

/** Least µs the datasheet allows all runs of an operator. */
function floorUs({ dims, flops, count, ...rest }: Operator, gpu: GpuSpec): number {
  const { bf16FlopsPerS, fp8FlopsPerS } = gpu.compute;
  const isFp8 = "weightDtype" in dims && dims.weightDtype === "fp8";
  const flopsPerS = isFp8 ? (fp8FlopsPerS ?? bf16FlopsPerS) : bf16FlopsPerS;
  const bytes = operatorBytes({ dims, flops, count, ...rest });
  return US_PER_S * count * Math.max(flops / flopsPerS, bytes / gpu.memory.bandwidthBytesPerS);
}

/** The step's operators without any padding, straight from the model's description. */
function leastWork({ plan }: PricedPlan, { decodeContexts, chunks }: StepRows): Operator[] {
  const numTokens = decodeContexts.length + chunks.reduce((sum, { newTokens }) => sum + newTokens, 0);
  return operators(plan.architecture, plan.parallelism, plan.dtypes, plan.sampling, {
    numTokens,
    numUnpaddedTokens: numTokens,
    numSampledTokens: decodeContexts.length + chunks.length,
    prefillChunks: chunks,
    decodeContextTokens: decodeContexts.map((context) => context + 1),
  });
}

describe("no step is faster than physics", () => {
  it("in any of its components: FLOPs at the dtype's peak, bytes at peak bandwidth", () => {
    fc.assert(
      fc.property(pricedPlan, stepRows, (priced, rows) => {
        for (const { operator, us } of priced.model.breakdown(toBatch(rows)).components) {
          const least = floorUs(operator, priced.gpu);
          expect(us, `${operator.name} of ${priced.label}`).toBeGreaterThanOrEqual(least * ROUNDING);
        }
      }),
      SETTINGS,
    );
  });

  it("in total: the floors of all its operators one after the other, padding not counted", () => {
    fc.assert(
      fc.property(pricedPlan, stepRows, (priced, rows) => {
        const least = leastWork(priced, rows).reduce((sum, operator) => sum + floorUs(operator, priced.gpu), 0);
        expect(stepUs(priced.model, rows), priced.label).toBeGreaterThanOrEqual(least * ROUNDING);
      }),
      SETTINGS,
    );
  });

  it("on its links: each rank receives what the others hold of the tensor", () => {
    const sharded = pricedPlan.filter(({ plan }) => plan.parallelism.tensorParallelSize > 1);
    fc.assert(
      fc.property(sharded, stepRows, ({ model, gpu, label }, rows) => {
        for (const { operator, us } of model.breakdown(toBatch(rows)).components) {
          if (operator.dims.category !== "collective") continue;
          const { numRanks, messageBytes } = operator.dims;
          const receivedBytes = (messageBytes * (numRanks - 1)) / numRanks;
          const least = (US_PER_S * operator.count * receivedBytes) / gpu.interconnect.bandwidthBytesPerS;
          expect(us, `${operator.name} of ${label}`).toBeGreaterThanOrEqual(least * ROUNDING);
        }
      }),
      SETTINGS,
    );
  });

  it("tells efficiencies of at most 1 that agree with the price it takes", () => {
    fc.assert(
      fc.property(pricedPlan, stepRows, ({ model, gpu }, rows) => {
        for (const { operator, us, price } of model.breakdown(toBatch(rows)).components) {
          expect(price.efficiency).toBeGreaterThan(0);
          expect(price.efficiency).toBeLessThanOrEqual(1);
          expect(us).toBeCloseTo(price.us * operator.count, 6);
          if (operator.dims.category === "collective") continue;
          expect(Math.abs(us * price.efficiency - floorUs(operator, gpu))).toBeLessThanOrEqual(us * 1e-9);
        }
      }),
      SETTINGS,
    );
  });
});
