import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gpuRoofs } from "../../src/core/kernels/gpuRoofs.js";
import { perturbedKernelModel } from "../../src/core/kernels/perturbedKernelModel.js";
import { physicalFloor } from "../../src/core/kernels/tables/physicalFloor.js";
import { AdditiveStepModel } from "../../src/core/stepmodel/additiveStepModel.js";
import { type PricedPlan, pricedPlan, stepRows, stepUs, toBatch } from "./stepModelArbitraries.js";

const SETTINGS = { seed: 20260310, numRuns: 250 };
/** Sums over operators run in another order than the model's. */
const ROUNDING = 1e-9;
const factor = fc.double({ min: Math.log(0.05), max: Math.log(20), noNaN: true }).map(Math.exp);

/** The plan's step model with every price multiplied by a factor of its operator's name. */
function perturbed({ plan, gpu }: PricedPlan, factorOf: (name: string) => number): AdditiveStepModel {
  const kernelModel = perturbedKernelModel(plan.kernelModel, gpuRoofs(gpu), ({ name }) => factorOf(name));
  return new AdditiveStepModel({ ...plan, kernelModel });
}

describe("prices perturbed by a factor", () => {
  it("are the same to the last bit where the factor is 1", () => {
    fc.assert(
      fc.property(pricedPlan, stepRows, (priced, rows) => {
        const same = perturbed(priced, () => 1);
        expect(stepUs(same, rows)).toBe(stepUs(priced.model, rows));
      }),
      SETTINGS,
    );
  });

  it("are never faster than physics, nor faster than a price that was below its floor", () => {
    fc.assert(
      fc.property(pricedPlan, stepRows, factor, factor, (priced, rows, odd, even) => {
        const { components } = perturbed(priced, (name) => (name.length % 2 === 0 ? even : odd)).breakdown(
          toBatch(rows),
        );
        for (const { operator, price } of components) {
          const { us: unperturbedUs } = priced.plan.kernelModel.price(operator);
          const floorUs = Math.min(physicalFloor(operator, gpuRoofs(priced.gpu)).us, unperturbedUs);
          expect(price.us, operator.name).toBeGreaterThanOrEqual(floorUs * (1 - ROUNDING));
          expect(price.efficiency).toBeLessThanOrEqual(1 + ROUNDING);
          expect(price.launchUs).toBeLessThanOrEqual(price.us * (1 + ROUNDING));
        }
      }),
      SETTINGS,
    );
  });

  it("rise with the factor, and by no more than it", () => {
    fc.assert(
      fc.property(pricedPlan, stepRows, factor, factor, (priced, rows, a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        const kernelsUs = (by: number) => {
          const { components } = perturbed(priced, () => by).breakdown(toBatch(rows));
          return components.reduce((sum, { operator }) => {
            const model = perturbedKernelModel(priced.plan.kernelModel, gpuRoofs(priced.gpu), () => by);
            return sum + model.price(operator).us * operator.count;
          }, 0);
        };
        const [lowUs, highUs] = [kernelsUs(low), kernelsUs(high)];
        expect(highUs).toBeGreaterThanOrEqual(lowUs * (1 - ROUNDING));
        expect(highUs).toBeLessThanOrEqual(lowUs * (high / low) * (1 + ROUNDING));
      }),
      SETTINGS,
    );
  });
});
