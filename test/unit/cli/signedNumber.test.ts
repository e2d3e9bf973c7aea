import { describe, expect, it } from "vitest";
import { signed, signedError } from "../../../src/cli/signedNumber.js";

describe("a number with its sign", () => {
  const ms = (value: number) => `${value.toFixed(1)} ms`;

  it.each([
    [1.26, "+1.3 ms"],
    [-1.26, "−1.3 ms"],
    [0.04, "0.0 ms"],
    [-0.04, "0.0 ms"],
    [null, "–"],
  ])("of %s is %s: what is printed as 0 has none, with its unit too", (value, printed) => {
    expect(signed(value, ms)).toBe(printed);
  });

  it.each([
    [1.26, "+1.3"],
    [-1.26, "-1.3"],
    [0.04, "0.0"],
    [-0.04, "0.0"],
  ])("an error of %s %% is %s", (percent, printed) => {
    expect(signedError(percent)).toBe(printed);
  });
});
