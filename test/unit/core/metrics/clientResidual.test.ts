import { describe, expect, it } from "vitest";
import { BinnedCounts } from "../../../../src/core/metrics/binnedCounts.js";
import { gapsWithClientResidual, withClientResidual } from "../../../../src/core/metrics/clientResidual.js";
import type { RequestRecord } from "../../../../src/core/metrics/requestRecord.js";

const record: RequestRecord = {
  id: "r",
  sessionId: null,
  status: "completed",
  reason: null,
  arrivalUs: 1000,
  firstScheduledUs: 6000,
  firstTokenUs: 20_000,
  lastTokenUs: 100_000,
  queueUs: 0,
  numPromptTokens: 50,
  numCachedTokens: 0,
  numOutputTokens: 10,
  numPreemptions: 0,
};
const none = { usPerOutputToken: 0, usPerPromptToken: 0, usPerRequest: 0 };
const shifts = (residual: Partial<typeof none>, of = record) => {
  const seen = withClientResidual(of, { ...none, ...residual });
  return [seen.firstTokenUs - of.firstTokenUs, seen.lastTokenUs - of.lastTokenUs];
};

describe("a client's residual", () => {
  it("delays all tokens by what comes before the first", () => {
    expect(shifts({ usPerRequest: 300 })).toEqual([300, 300]);
    expect(shifts({ usPerPromptToken: 2 })).toEqual([100, 100]);
  });

  it("delays token n by n times what comes with each", () => {
    expect(shifts({ usPerOutputToken: 70 })).toEqual([70, 700]);
  });

  it("makes every gap between tokens as much longer, and none shorter", () => {
    const gapsUs = new BinnedCounts();
    gapsUs.add(9000, 3);
    gapsUs.add(20_000, 1);
    const later = gapsWithClientResidual(gapsUs, { ...none, usPerOutputToken: 130, usPerRequest: 300 });
    expect(later.bins()).toEqual({ values: Float64Array.of(9130, 20_130), weights: Float64Array.of(3, 1) });
    expect(later.distribution()).toMatchObject({ min: 9130, max: 20_130 });
    expect(gapsWithClientResidual(gapsUs, { ...none, usPerOutputToken: -130 }).sum).toBe(47_000);
  });

  it("takes off no more than the time before the first schedule, and nothing between tokens", () => {
    expect(shifts({ usPerRequest: -2000 })).toEqual([-2000, -2000]);
    expect(shifts({ usPerRequest: -1e6 })).toEqual([-5000, -5000]);
    expect(shifts({ usPerOutputToken: -70 })).toEqual([0, 0]);
  });

  it("leaves a request without tokens alone, and the server's own times", () => {
    const waiting = { ...record, firstTokenUs: Number.NaN, lastTokenUs: Number.NaN };
    expect(withClientResidual(waiting, { ...none, usPerRequest: 300 })).toBe(waiting);
    const seen = withClientResidual(record, { ...none, usPerRequest: 300 });
    expect([seen.arrivalUs, seen.firstScheduledUs]).toEqual([record.arrivalUs, record.firstScheduledUs]);
  });
});
