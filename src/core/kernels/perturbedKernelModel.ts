import type { Operator } from "../model/operator.js";
import type { GpuRoofs } from "./gpuRoofs.js";
import type { KernelModel, KernelPrice } from "./kernelModel.js";
import { physicalFloor } from "./tables/physicalFloor.js";

/**
 * Prices as they would be if another model were wrong in a given way: each multiplied by a factor of its operator, but
 * never below what physics allows (nor the roof that the price itself names). A factor of 1 changes no bit.
 * Where the factor depends on an operator's size a price may fall between two sizes, as measured kernels do.
 *
 * @param factorOf > 0 and finite; the same for the same operator and price
 */
export function perturbedKernelModel(
  base: KernelModel,
  roofs: GpuRoofs,
  factorOf: (operator: Operator, price: KernelPrice) => number,
): KernelModel {
  return {
    price(operator) {
      const price = base.price(operator);
      const factor = factorOf(operator, price);
      if (price.us === 0 || factor === 1) return price;
      const roofUs = price.us * price.efficiency;
      // A price at its roof stays there; one the base model let below the floor may not fall further.
      const floorUs = Math.min(price.us, Math.max(roofUs, physicalFloor(operator, roofs).us));
      const us = Math.max(price.us * factor, floorUs);
      const launchUs = Math.min(price.launchUs * factor, us);
      return { us, launchUs, boundBy: price.boundBy, efficiency: roofUs / us, source: price.source };
    },
    lookup: (operator) => base.lookup(operator),
  };
}
