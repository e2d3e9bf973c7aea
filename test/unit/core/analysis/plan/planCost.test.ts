import { describe, expect, it } from "vitest";
import { planCost, planSize } from "../../../../../src/core/analysis/plan/planCost.js";

const run = { throughput: { requestsPerS: 8, outputTokensPerS: 1600, promptTokensPerS: 8000 } };

describe("the size and cost of a plan", () => {
  it("takes as many replicas as the load needs, each with an even share", () => {
    expect(planSize(4, 2, 10)).toEqual({ replicas: 3, gpus: 6, ratePerReplicaPerS: 10 / 3 });
    expect(planSize(4, 2, 8)).toEqual({ replicas: 2, gpus: 4, ratePerReplicaPerS: 4 });
    expect(planSize(4, 2, 0.1)).toEqual({ replicas: 1, gpus: 2, ratePerReplicaPerS: 0.1 });
    expect(planSize(4, 2, null)).toEqual({ replicas: 1, gpus: 2, ratePerReplicaPerS: 4 });
  });

  it("spreads what an hour costs over the tokens of an hour", () => {
    // 3.60 $/h on 10 requests/s of 200 output tokens: 0.001 $/s on 2000 tokens/s.
    const size = planSize(10, 1, null);
    const cost = planCost(size, size.ratePerReplicaPerS, run, 3.6);
    expect(cost.usdPerHour).toBe(3.6);
    expect(cost.usdPerMOutputTokens).toBeCloseTo(0.5, 12);
    expect(cost.usdPerMTokens).toBeCloseTo(0.5 / 6, 12);
  });

  it("asks as much for a token whatever the number of full replicas", () => {
    const one = planCost(planSize(10, 2, 10), 10, run, 2);
    const three = planCost(planSize(10, 2, 30), 10, run, 2);
    expect(three.usdPerHour).toBe(3 * one.usdPerHour!);
    expect(three.usdPerMOutputTokens).toBeCloseTo(one.usdPerMOutputTokens!, 12);
  });

  it("knows no cost without a price, and none of a token where none is made", () => {
    const size = planSize(10, 1, null);
    expect(planCost(size, 10, run, null)).toEqual({ usdPerHour: null, usdPerMOutputTokens: null, usdPerMTokens: null });
    const idle = { throughput: { requestsPerS: null, outputTokensPerS: null, promptTokensPerS: null } };
    expect(planCost(size, 10, idle, 1)).toEqual({ usdPerHour: 1, usdPerMOutputTokens: null, usdPerMTokens: null });
  });
});
