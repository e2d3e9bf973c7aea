import { describe, expect, it } from "vitest";
import { meanChecks } from "../../../../src/core/metrics/meanChecks.js";
import type { SloCheck } from "../../../../src/core/metrics/sloCheck.js";

const ttft = (value: number | null): SloCheck => ({
  name: "p99 TTFT",
  limit: 500,
  value,
  isMet: value !== null && value <= 500,
});
const goodput = (value: number): SloCheck => ({ name: "goodput", limit: 0.9, value, isMet: value >= 0.9 });

describe("checks of repetitions together", () => {
  it("hold the mean value against the limit, not each one's verdict", () => {
    expect(meanChecks([[ttft(300)], [ttft(600)]])).toEqual([ttft(450)]);
    expect(meanChecks([[ttft(480)], [ttft(600)]])).toEqual([ttft(540)]);
  });

  it("know that of a goodput more is better", () => {
    expect(meanChecks([[goodput(0.8)], [goodput(1)]])[0]).toMatchObject({ isMet: true });
    expect(meanChecks([[goodput(0.8)], [goodput(0.9)]])[0]).toMatchObject({ isMet: false });
  });

  it("have no value where one has none", () => {
    expect(meanChecks([[ttft(100)], [ttft(null)]])).toEqual([{ ...ttft(null) }]);
  });
});
