import { describe, expect, it } from "vitest";
import { type ComparedPlan, planDiff } from "../../../../../src/core/analysis/diff/planDiff.js";

interface Asked {
  readonly limitMs?: number;
  readonly usdPerGpuHour?: number;
  readonly h100PerS?: number;
  readonly isL4There?: boolean;
}

function plan({ limitMs = 500, usdPerGpuHour = 3, h100PerS = 10, isL4There = true }: Asked = {}): ComparedPlan {
  const replicas = Math.ceil(20 / h100PerS);
  const h100 = {
    ...{ isFeasible: true, label: "H100", highestRatePerS: h100PerS, replicas, gpus: replicas },
    usdPerHour: replicas * usdPerGpuHour,
    usdPerMOutputTokens: replicas * usdPerGpuHour * 0.1,
    rateInterval: { low: h100PerS - 1, high: h100PerS + 1 },
  };
  const l4 = { isFeasible: false, label: "L4", reason: "p99 TTFT 900 ms > 500 ms" };
  const slo = { limits: [{ latency: "ttftMs", statistic: "p99", limitMs }], goodputFraction: null };
  const asked = { config: { model: "m" }, slo, targetRequestsPerS: 20, seeds: [1, 2] };
  const prices = [{ gpu: "H100", usdPerGpuHour, source: "us", date: "2026-11-26" }];
  const plans = isL4There ? [h100, l4] : [h100];
  return {
    name: "plan",
    plan: { version: "1", ...asked, best: "H100", plans, prices } as unknown as ComparedPlan["plan"],
  };
}

describe("two plans", () => {
  it("are the same where they are the same", () => {
    expect(planDiff(plan(), plan())).toMatchObject({
      isIdentical: true,
      question: [],
      onlyA: [],
      onlyB: [],
      notes: [],
    });
  });

  it("name what was asked otherwise, limit by limit and price by price", () => {
    const { question, isIdentical } = planDiff(plan(), plan({ limitMs: 300, usdPerGpuHour: 4 }));
    expect(isIdentical).toBe(false);
    expect(question).toEqual([
      { path: "sloMs.p99 TTFT", before: 500, after: 300 },
      { path: "usdPerGpuHour.H100", before: 3, after: 4 },
    ]);
  });

  it("put rates, replicas and costs beside each other, and say when a rate moved by more than its seeds", () => {
    const [server] = planDiff(plan(), plan({ h100PerS: 5 })).servers;
    expect(server?.numbers).toMatchObject({
      highestRatePerS: { a: 10, b: 5, change: -5, relative: -0.5 },
      replicas: { a: 2, b: 4 },
      usdPerHour: { a: 6, b: 12, relative: 1 },
    });
    expect(server?.isApart).toBe(true);
    expect(planDiff(plan(), plan({ h100PerS: 10.5 })).servers[0]?.isApart).toBe(false);
  });

  it("give the same changes with the other sign when they change places", () => {
    const [a, b] = [plan(), plan({ h100PerS: 7, usdPerGpuHour: 2 })];
    const changes = (x: ComparedPlan, y: ComparedPlan) =>
      planDiff(x, y).servers.flatMap(({ numbers }) => Object.values(numbers).map(({ change }) => change ?? 0));
    expect(changes(b, a)).toEqual(changes(a, b).map((change) => 0 - change));
  });

  it("keep the reason of a server that cannot, and name those that one side alone considered", () => {
    const { servers, onlyA, onlyB } = planDiff(plan(), plan());
    expect(servers.map(({ reasonA, reasonB }) => [reasonA, reasonB])).toEqual([
      [null, null],
      ["p99 TTFT 900 ms > 500 ms", "p99 TTFT 900 ms > 500 ms"],
    ]);
    expect([onlyA, onlyB]).toEqual([[], []]);
    const fewer = planDiff(plan(), plan({ isL4There: false }));
    expect(fewer).toMatchObject({ onlyA: ["L4"], onlyB: [], isIdentical: false });
  });
});
