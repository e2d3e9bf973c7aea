import { describe, expect, it } from "vitest";
import { type PlanResult, planResult } from "../../../../src/core/analysis/plan/planResult.js";
import { type Plan, searchPlan } from "../../../../src/core/analysis/plan/searchPlan.js";
import { parseSlo } from "../../../../src/core/metrics/slo.js";
import { planPage } from "../../../../src/io/report/planPage.js";
import type { ReportSection } from "../../../../src/report/reportPage.js";
import { smallConfig, someRun } from "../../core/analysis/sweep/smallSweep.js";

const base = someRun();
const price = (gpu: string, usdPerGpuHour: number) => ({ gpu, usdPerGpuHour, source: "a test", date: "2026-11-26" });
const PRICES = { prices: [price("H100", 4), price("L40S", 1)] };

/** Carries 10 requests/s within the SLO; an L4 cannot be. */
async function planned(gpus: readonly string[], targetPerS: number | null): Promise<PlanResult> {
  const question = { slo: parseSlo("p99 ttft<=500ms"), targetPerS, seeds: [1, 2], checkSeeds: [3], prices: PRICES };
  const series = gpus.map((gpu) => ({
    label: `gpu=${gpu}`,
    varied: { gpu },
    configs: [smallConfig(undefined, { gpu })],
  }));
  const plans = series.map((one) =>
    searchPlan(one, question, async ({ config: { gpu, workload } }) => {
      if (gpu === "L4") return { failure: { code: "capacity", message: "it does not fit" } };
      const rate = "rate" in workload.profile ? workload.profile.rate : 1;
      const value = rate > 10 ? 900 : 100;
      const throughput = { requestsPerS: Math.min(rate, 10), outputTokensPerS: 80, promptTokensPerS: 2000 };
      const checks = [{ name: "p99 TTFT", limit: 500, value, isMet: value <= 500 }];
      const meanRequest = { completedFraction: 1, promptTokens: 200, outputTokens: 8 };
      return { trial: { run: { ...base, throughput }, meanRequest, checks, isOverrun: false } };
    }),
  );
  return planResult(series, question, await Promise.all(plans));
}

function pageOf(result: PlanResult) {
  const nameOf = ({ gpu, tensorParallelSize }: Plan) => `${tensorParallelSize} × ${gpu}`;
  const { sections } = planPage({ result, answer: "an answer", title: "t", subtitle: "s", legend: "l", nameOf });
  const one = <Kind extends ReportSection["kind"]>(kind: Kind) =>
    sections.find((section): section is Extract<ReportSection, { kind: Kind }> => section.kind === kind);
  return { kinds: sections.map(({ kind }) => kind), one };
}

describe("the page of a plan", () => {
  it("has the answer first, the plan to take in it, and every server with its numbers", async () => {
    const result = await planned(["H100", "L40S", "L4"], 35);
    const { kinds, one } = pageOf(result);
    expect(kinds[0]).toBe("plan-answer");
    const best = one("plan-answer")!.best!;
    expect(best.name).toBe("1 × L40S");
    expect(best).toMatchObject({ replicas: 4, gpus: 4, usdPerHour: 4 });
    const { plans, infeasible } = one("plan-table")!;
    expect(plans.map(({ name }) => name)).toEqual(["1 × L40S", "1 × H100"]);
    expect(infeasible).toEqual([{ name: "1 × L4", reason: "it does not fit" }]);
    expect(one("plan-rates")!.plans[0]!.highestRatePerS).toBeCloseTo(10, 0);
    expect(one("plan-checks")!.plans[0]!.checks).toEqual([{ name: "p99 TTFT", limit: 500, value: 100, isMet: true }]);
  });

  it("counts cost by the hour where there is a target, by the token where there is none", async () => {
    const result = await planned(["H100"], null);
    expect(pageOf(result).one("plan-costs")).toMatchObject({ per: "million output tokens" });
    const [plan] = result.plans;
    expect(pageOf(result).one("plan-costs")!.plans[0]!.usd).toBe(plan!.isFeasible && plan!.usdPerMOutputTokens);
    const costs = pageOf(await planned(["H100"], 35)).one("plan-costs")!;
    expect(costs).toMatchObject({ per: "hour" });
    expect(costs.plans[0]!.usd).toBe(16);
  });

  it("gives each price with its source and date, and those of no server that was not considered", async () => {
    const { prices } = pageOf(await planned(["H100"], 5)).one("plan-table")!;
    expect(prices).toEqual([price("H100", 4)]);
  });

  it("draws no costs without a price, and nothing but reasons where no server keeps the SLO", async () => {
    expect(pageOf(await planned(["A100-80"], 5)).kinds).toEqual([
      "plan-answer",
      "plan-rates",
      "plan-checks",
      "plan-table",
      "config",
    ]);
    expect(pageOf(await planned(["L4"], 5)).kinds).toEqual(["plan-answer", "plan-table", "config"]);
  });
});
