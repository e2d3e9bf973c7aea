import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planCost, planLoad, planSize, sizeOfReplicas } from "../../../../../src/core/analysis/plan/planCost.js";

const request = { completedFraction: 1, promptTokens: 1000, outputTokens: 200 };

describe("the size, load and cost of a plan", () => {
  it("takes as many replicas as the load needs, each with an even share", () => {
    expect(planSize(4, 2, 10)).toEqual({ replicas: 3, gpus: 6, ratePerReplicaPerS: 10 / 3 });
    expect(planSize(4, 2, 8)).toEqual({ replicas: 2, gpus: 4, ratePerReplicaPerS: 4 });
    expect(planSize(4, 2, 0.1)).toEqual({ replicas: 1, gpus: 2, ratePerReplicaPerS: 0.1 });
    expect(planSize(4, 2, null)).toEqual({ replicas: 1, gpus: 2, ratePerReplicaPerS: 4 });
  });

  it("counts what completes, and every turn of a session", () => {
    const load = planLoad(sizeOfReplicas(2, 1, 10), 3, { completedFraction: 0.5, promptTokens: 40, outputTokens: 4 });
    expect(load).toEqual({ requestsPerS: 15, promptTokensPerS: 1200, outputTokensPerS: 120 });
  });

  it("spreads what an hour costs over the tokens of an hour, whatever they are", () => {
    const positive = fc.double({ min: 0.01, max: 1000, noNaN: true });
    fc.assert(
      fc.property(positive, positive, positive, fc.integer({ min: 1, max: 8 }), (highest, target, price, gpus) => {
        const size = planSize(highest, gpus, target);
        const load = planLoad(size, 1.5, request);
        const { usdPerHour, usdPerMOutputTokens, usdPerMTokens } = planCost(size, load, price);
        expect(usdPerHour).toBeCloseTo(size.gpus * price, 6);
        const tokensPerS = load.promptTokensPerS + load.outputTokensPerS;
        expect((usdPerMTokens! * tokensPerS * 3600) / 1e6 / usdPerHour!).toBeCloseTo(1, 9);
        expect((usdPerMOutputTokens! * load.outputTokensPerS * 3600) / 1e6 / usdPerHour!).toBeCloseTo(1, 9);
        expect(load.requestsPerS / (1.5 * target)).toBeCloseTo(1, 9);
      }),
      { seed: 20261126 },
    );
  });

  it("knows no cost without a price, and none of a token where none is made", () => {
    const size = planSize(10, 1, null);
    const load = planLoad(size, 1, request);
    expect(planCost(size, load, null)).toEqual({ usdPerHour: null, usdPerMOutputTokens: null, usdPerMTokens: null });
    const idle = planLoad(size, 1, { completedFraction: 0, promptTokens: 0, outputTokens: 0 });
    expect(planCost(size, idle, 1)).toEqual({ usdPerHour: 1, usdPerMOutputTokens: null, usdPerMTokens: null });
  });
});
