import { expect, it } from "vitest";
import { gpuStepUs } from "../../../../src/core/engine/gpuStepUs.js";

it.each([
  [0, 1],
  [1e-9, 1],
  [0.5, 1],
  [1.49, 1],
  [1.5, 2],
  [12_345.678, 12_346],
])("a step of %f µs takes %i", (fractionalUs, us) => {
  expect(gpuStepUs(fractionalUs)).toBe(us);
});
