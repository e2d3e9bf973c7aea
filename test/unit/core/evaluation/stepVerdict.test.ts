import { describe, expect, it } from "vitest";
import { stepErrors } from "../../../../src/core/evaluation/stepErrors.js";
import { stepVerdict } from "../../../../src/core/evaluation/stepVerdict.js";

/** Errors of one decode and one prefill step of 100 µs. */
const errors = (decodeUs: number, prefillUs: number) =>
  stepErrors([
    { kind: "decode", measuredUs: 100, predictedUs: decodeUs },
    { kind: "prefill", measuredUs: 100, predictedUs: prefillUs },
  ]);

describe("the verdict on prices", () => {
  it("says which are better, by how much, and names the kinds of steps of which that is not so", () => {
    expect(stepVerdict(errors(120, 98), errors(105, 95))).toBe(
      "These prices tell the measured steps better than the built-in ones: mean |error| 11.0 → 5.0 %, p90 18.2 → 5.0 %; " +
        "prefill steps worse: 2.0 → 5.0 %.",
    );
  });

  it("turns round with its prices", () => {
    expect(stepVerdict(errors(105, 95), errors(120, 110))).toBe(
      "These prices tell the measured steps worse than the built-in ones: mean |error| 5.0 → 15.0 %, p90 5.0 → 19.0 %.",
    );
  });

  it("makes nothing of what rounds away", () => {
    expect(stepVerdict(errors(105, 95), errors(105.04, 95))).toMatch(
      /^These prices tell the measured steps as well as/,
    );
  });
});
