import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ComparedStep, errorPercent, stepErrors } from "../../../../src/core/evaluation/stepErrors.js";

const step = (kind: ComparedStep["kind"], measuredUs: number, predictedUs: number) => ({
  kind,
  measuredUs,
  predictedUs,
});

describe("errors of predicted steps", () => {
  it("are percent of the measured time, > 0 where the prediction is too slow", () => {
    expect(errorPercent(step("decode", 200, 220))).toBeCloseTo(10);
    expect(errorPercent(step("decode", 200, 150))).toBeCloseTo(-25);
  });

  it("stand for all steps first, then for each kind that occurs", () => {
    const errors = stepErrors([step("mixed", 100, 90), step("decode", 100, 110), step("decode", 100, 130)]);
    expect(errors.map(({ kind, numSteps }) => [kind, numSteps])).toEqual([
      ["all", 3],
      ["decode", 2],
      ["mixed", 1],
    ]);
    expect(errors[1]!.meanApe).toBeCloseTo(20);
    expect(errors[1]!.p90Ape).toBeCloseTo(28);
    expect(errors[0]!.meanError).toBeCloseTo(10);
    expect(errors[0]!.meanApe).toBeCloseTo(50 / 3);
  });

  it("have a mean no smaller in size than its signed counterpart, and do not depend on the order of steps", () => {
    const us = fc.double({ min: 1, max: 1e6, noNaN: true });
    const kind = fc.constantFrom("decode" as const, "prefill" as const, "mixed" as const);
    const steps = fc.array(fc.record({ kind, measuredUs: us, predictedUs: us }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(steps, (some) => {
        const errors = stepErrors(some);
        const reversed = stepErrors([...some].reverse());
        for (const [i, { meanApe, meanError, p90Ape, numSteps }] of errors.entries()) {
          expect(meanApe).toBeGreaterThanOrEqual(Math.abs(meanError) * (1 - 1e-9));
          expect(reversed[i]!.numSteps).toBe(numSteps);
          expect(reversed[i]!.p90Ape).toBe(p90Ape);
        }
        expect(errors.slice(1).reduce((sum, { numSteps }) => sum + numSteps, 0)).toBe(some.length);
      }),
      { numRuns: 100, seed: 11 },
    );
  });
});
