import { describe, expect, it } from "vitest";
import type { ExplainReport } from "../../../../src/core/analysis/explainReport.js";
import type { LoggedStep, StepLogHeader } from "../../../../src/core/analysis/stepLog.js";
import { StepLogExplainer } from "../../../../src/core/analysis/stepLogExplainer.js";
import { BUSY, loggedRun } from "./loggedRun.js";

function explain(header: StepLogHeader, steps: readonly LoggedStep[]): ExplainReport {
  const explainer = new StepLogExplainer(header);
  for (const step of steps) explainer.add(step);
  return explainer.report();
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe("an explained run", () => {
  const { header, steps, summary } = loggedRun({
    ...BUSY,
    model: "meta-llama/Llama-2-7b-hf",
  });
  const report = explain(header, steps);
  const gpuUs = sum(steps.map(({ us }) => sum(us)));

  it("shares its time out without remainder: by component, bound, phase and batch", () => {
    expect(report.gpuUs).toBeCloseTo(gpuUs, 4);
    for (const parts of [report.components, report.bounds, report.phases, report.batchSizes]) {
      expect(parts.length).toBeGreaterThan(1);
      expect(sum(parts.map(({ us }) => us))).toBeCloseTo(gpuUs, 3);
      expect(sum(parts.map(({ fraction }) => fraction))).toBeCloseTo(1, 9);
    }
    for (const { us, boundUs } of report.components) expect(sum(Object.values(boundUs))).toBeCloseTo(us, 6);
    for (const { bound, us } of report.bounds) {
      expect(sum(report.components.map(({ boundUs }) => boundUs[bound] ?? 0))).toBeCloseTo(us, 4);
    }
  });

  it("puts each step into one phase and one batch size, with its tokens", () => {
    for (const groups of [report.phases, report.batchSizes]) {
      expect(sum(groups.map((group) => group.steps))).toBe(summary.engine.steps);
      expect(sum(groups.map((group) => group.tokens))).toBe(sum(steps.map(({ tokens }) => tokens)));
      for (const group of groups) expect(group.meanUs * group.steps).toBeCloseTo(group.us, 3);
    }
    const mixed = steps.filter(({ prefillTokens, decodes }) => prefillTokens > 0 && decodes > 0);
    expect(report.phases.find(({ phase }) => phase === "mixed")?.steps).toBe(mixed.length);
    for (const { requests, steps: number } of report.batchSizes) {
      expect(steps.filter((step) => requests.from <= step.requests && step.requests <= requests.to)).toHaveLength(
        number,
      );
    }
  });

  it("counts every price once, however it was found and wherever it came from", () => {
    const prices = steps.flatMap(({ lookup }) => [...lookup]).filter((code) => code !== "-");
    expect(sum(report.lookups.map((lookup) => lookup.prices))).toBe(prices.length);
    for (const shares of [report.lookups, report.sources]) {
      expect(sum(shares.map(({ fraction }) => fraction))).toBeCloseTo(1, 9);
    }
    expect(sum(report.lookups.map(({ priceFraction }) => priceFraction))).toBeCloseTo(1, 9);
    const waitUs = report.bounds.find(({ bound }) => bound === "wait")?.us ?? 0;
    expect(sum(report.lookups.map(({ us }) => us))).toBeCloseTo(gpuUs - waitUs, 3);
    expect(report.sources.map(({ source }) => source)).toEqual(["modelled"]);
  });

  it("names the price farthest from its data, and the first step it is in", () => {
    // 32 KV heads, where decode attention was measured with 8 at most.
    expect(report.farthest?.component).toBe("attention_decode");
    expect(report.farthest?.lnDistance).toBeCloseTo(Math.log(4), 3);
    expect(report.farthest?.startUs).toBe(steps.find(({ lnDistance }) => lnDistance?.includes(1.386))?.startUs);
  });

  it("says how full the server was", () => {
    const { kvFraction, running, waiting, preemptions, slices } = report.load;
    expect(kvFraction.peak).toBe(Math.max(...steps.map((step) => step.kvFraction)));
    expect(waiting.peak).toBe(Math.max(...steps.map((step) => step.waiting)));
    expect(running.mean).toBeCloseTo(sum(steps.map((step) => step.running * sum(step.us))) / gpuUs, 6);
    expect(preemptions).toBe(summary.engine.preemptions);
    expect(sum(slices.map((slice) => slice.gpuUs))).toBeCloseTo(gpuUs, 3);
    expect(report.busyFraction).toBeGreaterThan(0.9);
    expect(report.busyFraction).toBeLessThan(1.001);
  });
});

describe("a made-up log", () => {
  const { header: real } = loggedRun({ ...BUSY, workload: { ...BUSY.workload, maxRequests: 1 } });
  const header = {
    ...real,
    components: [
      { name: "far", category: "gemm" },
      { name: "near", category: "gemm" },
      { name: "gap", category: "wait" },
    ],
  };
  const step = {
    startUs: 100,
    endUs: 200,
    requests: 1,
    tokens: 1,
    prefillTokens: 0,
    decodes: 1,
    contextTokens: 9,
    sampled: 1,
    paddedTokens: 1,
    preempted: 0,
    running: 1,
    waiting: 0,
    kvFraction: 0.5,
    us: [60, 30, 10],
    bound: "mlw",
    source: "dt-",
    lookup: "xi-",
    lnDistance: [0.5],
  };

  it("is read letter by letter", () => {
    const report = explain(header, [step, { ...step, startUs: 400, endUs: 500, lookup: "ix-", lnDistance: [0.7] }]);
    expect(report.farthest).toEqual({ component: "near", kind: "extrapolated", lnDistance: 0.7, startUs: 400 });
    expect(report.bounds.map(({ bound, us }) => [bound, us])).toEqual([
      ["memory", 120],
      ["launch", 60],
      ["wait", 20],
    ]);
    expect(report.sources.map(({ source, us }) => [source, us])).toEqual([
      ["measured", 120],
      ["transferred", 60],
    ]);
    expect(report.lookups.map(({ kind, prices, us }) => [kind, prices, us])).toEqual([
      ["interpolated", 2, 90],
      ["extrapolated", 2, 90],
    ]);
    expect([report.spanUs, report.gpuUs, report.busyFraction]).toEqual([400, 200, 0.5]);
  });

  it("tells a nearest row from the edge of the data, whichever is farther", () => {
    const nearest = { ...step, lookup: "xn-", lnDistance: [0.5, 0.6] };
    const report = explain(header, [nearest, { ...step, lookup: "nf-", lnDistance: [0] }]);
    expect(report.farthest).toEqual({ component: "near", kind: "nearest", lnDistance: 0.6, startUs: 100 });
    expect(report.lookups.map(({ kind, prices }) => [kind, prices])).toEqual([
      ["extrapolated", 1],
      ["nearest", 2],
      ["formula", 1],
    ]);
  });

  it("without steps is explained as nothing", () => {
    const report = explain(header, []);
    expect(report).toMatchObject({ steps: 0, gpuUs: 0, spanUs: 0, busyFraction: 0, components: [], farthest: null });
    expect(JSON.stringify(report)).not.toMatch(/null,|NaN|Infinity/);
  });
});
