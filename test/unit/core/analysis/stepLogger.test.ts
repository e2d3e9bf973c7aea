import { describe, expect, it } from "vitest";
import { BOUND_CODES, loggedStepSchema, stepLogHeaderSchema } from "../../../../src/core/analysis/stepLog.js";
import { createServer } from "../../../../src/core/engine/createServer.js";
import { explainStep } from "../../../../src/core/engine/explainStep.js";
import { BENCH_DATA_FOLDER } from "../../../../src/io/catalog.js";
import { loadDeployment } from "../../../../src/io/loadDeployment.js";
import { BUSY, loggedRun } from "./loggedRun.js";

const RUNS: readonly (readonly [string, object])[] = [
  ["a dense model under pressure", BUSY],
  [
    "experts over two GPUs, synchronous",
    {
      ...BUSY,
      model: "mistralai/Mixtral-8x7B-v0.1",
      engine: { ...BUSY.engine, tensorParallelSize: 2, asyncScheduling: false },
    },
  ],
  ["sliding windows", { ...BUSY, model: "google/gemma-2-9b" }],
  ["borrowed efficiencies and fp8", { ...BUSY, gpu: "H20", engine: { ...BUSY.engine, quantization: "fp8" } }],
  ["prices from tables", { ...BUSY, benchData: BENCH_DATA_FOLDER }],
  ["phases priced apart", { ...BUSY, pricing: { stepModel: "roofline-v2" } }],
  ["phases without shapes", { ...BUSY, pricing: { stepModel: "roofline-v1" } }],
];

describe.each(RUNS)("the step log of %s", (_name, config) => {
  const { header, steps, summary, records } = loggedRun(config);
  const names = header.components.map(({ name }) => name);

  it("is what its own schemas accept", () => {
    expect(stepLogHeaderSchema.parse(JSON.parse(JSON.stringify(header)))).toEqual(header);
    const schema = loggedStepSchema(names.length);
    for (const step of steps) expect(schema.parse(JSON.parse(JSON.stringify(step)))).toEqual(step);
  });

  it("has every step of the run, one after the other", () => {
    expect(steps).toHaveLength(summary.engine.steps);
    for (const [i, { startUs, endUs }] of steps.entries()) {
      expect(endUs).toBeGreaterThan(startUs);
      if (i > 0) expect(startUs).toBeGreaterThanOrEqual(steps[i - 1]!.endUs);
    }
  });

  it("takes each step apart into components that add up to it, within the clock's rounding", () => {
    for (const { startUs, endUs, us } of steps) {
      const sum = us.reduce((total, componentUs) => total + componentUs, 0);
      expect(Math.abs(sum - (endUs - startUs))).toBeLessThan(0.5 + 0.005 * us.length + 1e-6);
    }
  });

  it("agrees with the run's own shares of GPU time", () => {
    const totals = names.map((_, slot) => steps.reduce((sum, { us }) => sum + us[slot]!, 0));
    const total = totals.reduce((sum, us) => sum + us, 0);
    for (const [slot, name] of names.entries()) {
      expect(totals[slot]! / total, name).toBeCloseTo(summary.bottleneck[name] ?? 0, 5);
    }
  });

  it("says of each component of a step what binds it and how it was priced, and of no other", () => {
    for (const { us, bound, source, lookup, lnDistance = [] } of steps) {
      for (const [slot, { category }] of header.components.entries()) {
        const isWait = category === "wait";
        if (us[slot]! > 0) expect(bound[slot]).toMatch(isWait ? "w" : /[cmln]/);
        expect(bound[slot] === "-", names[slot]).toBe(us[slot] === 0);
        expect(source[slot] === "-").toBe(isWait || us[slot] === 0);
        expect(lookup[slot] === "-").toBe(isWait || us[slot] === 0);
      }
      const distant = [...lookup].filter((code) => code === "x" || code === "n");
      expect(distant).toHaveLength(lnDistance.length);
      for (const [i, distance] of lnDistance.entries()) {
        if (distant[i] === "x") expect(distance).toBeGreaterThan(0);
        else expect(distance).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it("conserves tokens, requests and preemptions", () => {
    const total = (of: (step: (typeof steps)[number]) => number) => steps.reduce((sum, step) => sum + of(step), 0);
    for (const step of steps) {
      expect(step.paddedTokens).toBeGreaterThanOrEqual(step.tokens);
      expect(step.prefillTokens + step.decodes).toBe(step.tokens);
      expect(step.requests).toBeLessThanOrEqual(step.running);
    }
    expect(total((step) => step.preempted)).toBe(summary.engine.preemptions);
    expect(Math.max(...steps.map(({ kvFraction }) => kvFraction))).toBeCloseTo(summary.engine.kvPeakUsedFraction, 3);
    const outputTokens = records.reduce((sum, { numOutputTokens }) => sum + numOutputTokens, 0);
    expect(total((step) => step.sampled)).toBeGreaterThanOrEqual(outputTokens);
  });
});

describe("a step log", () => {
  it("leaves the run as it is", () => {
    const { header: _header, steps: _steps, ...logged } = loggedRun(BUSY);
    const again = loggedRun(BUSY);
    expect(again.summary).toEqual(logged.summary);
    expect(again.records).toEqual(logged.records);
    expect(again.summary.engine.preemptions).toBeGreaterThan(0);
  });

  it("carries the config that reproduces the run, and a legend of its letters", () => {
    const { header, summary } = loggedRun(BUSY);
    expect(header.config).toEqual(summary.config);
    expect(header.codes.bound).toEqual({ c: "compute", m: "memory", l: "launch", n: "network", w: "wait" });
    expect(header.codes.source).toEqual({ d: "measured", m: "modelled", t: "transferred" });
    expect(header.codes.lookup).toEqual({ i: "interpolated", x: "extrapolated", n: "nearest", f: "formula" });
  });

  it("says of a step what explaining that step says", () => {
    const single = { profile: { kind: "synchronous" }, maxRequests: 1 };
    const data = { kind: "synthetic", promptTokens: 5, outputTokens: 5 };
    const { header, steps, summary } = loggedRun({ model: BUSY.model, workload: { ...single, data } });
    const server = createServer(loadDeployment(summary.config), summary.config.engine, summary.config.sampling);
    const [prefill, , decode] = steps;
    // A vocabulary wider, and a context shorter, than any behind the fits.
    expect([prefill!.lnDistance?.length, decode!.lnDistance?.length]).toEqual([1, 2]);
    expect([prefill!.prefillTokens, prefill!.contextTokens, decode!.decodes]).toEqual([5, 0, 1]);
    for (const [step, kind, count] of [
      [prefill!, "prefill", 5],
      [decode!, "decode", 1],
    ] as const) {
      const report = explainStep(server, [{ kind, count, contextTokens: step.contextTokens }]);
      expect(step.paddedTokens).toBe(report.paddedTokens);
      /** By slot, which is also the order of its keys. */
      const distances: Record<number, number> = {};
      for (const { name, us, boundBy, category, lnDistance } of report.components) {
        const slot = header.components.findIndex((component) => component.name === name);
        expect(header.components[slot]?.category).toBe(category);
        expect(Math.abs(step.us[slot]! - us)).toBeLessThanOrEqual(0.005 + 1e-9);
        expect(step.bound[slot]).toBe(BOUND_CODES[boundBy]);
        if (lnDistance > 0) distances[slot] = Number(lnDistance.toPrecision(4));
      }
      expect(step.lnDistance).toEqual(Object.values(distances));
    }
  });
});
