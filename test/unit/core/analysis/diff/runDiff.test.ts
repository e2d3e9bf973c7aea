import { describe, expect, it, test } from "vitest";
import type { ComparedRun } from "../../../../../src/core/analysis/diff/comparedRun.js";
import type { PartChange } from "../../../../../src/core/analysis/diff/gpuTimeChange.js";
import { type RunDiff, runDiff } from "../../../../../src/core/analysis/diff/runDiff.js";
import { BUSY } from "../loggedRun.js";
import { comparedRun, withDecode } from "./comparedRuns.js";

const base = comparedRun("base", BUSY);
const fewSequences = comparedRun("few sequences", { ...BUSY, engine: { ...BUSY.engine, maxNumSeqs: 6 } });
const otherGpu = comparedRun("other GPU", { ...BUSY, gpu: "L40S" });
const otherSeed = comparedRun("other seed", { ...BUSY, seed: 7 });
const withoutLog = (run: ComparedRun): ComparedRun => ({ ...run, steps: null });

/** Clients that wait for answers: on a slower GPU they send later. */
const closed = (gpu: string) => {
  const workload = { ...BUSY.workload, profile: { kind: "concurrent", streams: 4 } };
  return comparedRun(gpu, { ...BUSY, gpu, workload });
};

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const pairsOfRuns: readonly (readonly [string, RunDiff])[] = [
  ["fewer sequences", runDiff(base, fewSequences)],
  ["another GPU", runDiff(base, otherGpu)],
  ["another GPU, from summaries", runDiff(withoutLog(base), withoutLog(otherGpu))],
  ["another seed", runDiff(base, otherSeed)],
];

describe("laws of a diff", () => {
  it("finds nothing between a run and itself", () => {
    const diff = runDiff(base, { ...base, name: "copy" });
    expect(diff.isIdentical).toBe(true);
    expect(diff.config).toEqual([]);
    expect(new Set(diff.metrics.map(({ change }) => change))).toEqual(new Set([0]));
    expect(diff.paired?.latencies.map(({ verdict }) => verdict)).toEqual(["none", "none", "none"]);
    expect(diff.paired?.timeline?.e2eMs.window).toBeNull();
    expect(diff.gpu).toMatchObject({ byNumberUs: 0, byLengthUs: 0 });
  });

  it("looks at requests too before it calls two runs identical", () => {
    const changed = withDecode(base, (_, i) => (i === 7 ? 1 : i === 8 ? -1 : 0));
    expect(runDiff(base, changed).isIdentical).toBe(false);
    expect(runDiff(base, { ...base, requests: (base.requests ?? []).slice(1) }).isIdentical).toBe(false);
  });

  test.each([
    ["fewer sequences", base, fewSequences],
    ["clients that wait, another GPU", closed("H100"), closed("L40S")],
  ])("gives the same changes with the other sign when the runs change places: %s", (_, a, b) => {
    const [forth, back] = [runDiff(a, b), runDiff(b, a)];
    const changes = ({ metrics, paired, gpu }: RunDiff): Record<string, number | null> => ({
      ...Object.fromEntries(metrics.map(({ name, change }) => [name, change])),
      ...Object.fromEntries((paired?.latencies ?? []).map(({ latency, meanMs }) => [`paired ${latency}`, meanMs])),
      ...Object.fromEntries((paired?.latencies ?? []).map(({ latency, medianMs }) => [`median ${latency}`, medianMs])),
      ...Object.fromEntries((paired?.e2eParts ?? []).map(({ part, change }) => [part, change])),
      ...Object.fromEntries(gpu.components.map(({ name, changeUs }) => [`time of ${name}`, changeUs])),
      ...Object.fromEntries(gpu.components.map(({ name, changeStepUs }) => [`step of ${name}`, changeStepUs])),
      ...Object.fromEntries((paired?.timeline?.e2eMs.meanMs ?? []).map((meanMs, bin) => [`bin ${bin}`, meanMs])),
      byNumberUs: gpu.byNumberUs,
      byLengthUs: gpu.byLengthUs,
      idleUs: gpu.idleUs.change,
    });
    const backwards = changes(back);
    expect(Object.keys(backwards).length).toBeGreaterThan(80);
    for (const [name, change] of Object.entries(changes(forth)))
      if (change === null) expect(backwards[name], name).toBeNull();
      else expect(backwards[name] ?? Number.NaN, name).toBeCloseTo(-change, 6);
    const [high, low] = [forth.paired?.latencies[0]?.numSlower, back.paired?.latencies[0]?.numFaster];
    expect(high).toBe(low);
    expect(forth.paired?.numPairs).toBe(40);
    expect(back.paired?.timeline?.e2eMs.window).toEqual(forth.paired?.timeline?.e2eMs.window);
  });

  test.each(pairsOfRuns)("adds the parts of the GPU's time up to the whole: %s", (_, { gpu, metrics }) => {
    const whole = gpu.gpuUs.change ?? Number.NaN;
    expect(whole).not.toBe(0);
    expect(gpu.byNumberUs + gpu.byLengthUs).toBeCloseTo(whole, 3);
    const ways: readonly (readonly PartChange[])[] = [gpu.components, ...[gpu.bounds ?? []], ...[gpu.phases ?? []]];
    for (const parts of ways.filter(({ length }) => length > 0)) {
      expect(sum(parts.map(({ changeUs }) => changeUs))).toBeCloseTo(whole, 3);
      expect(sum(parts.map(({ changeStepUs }) => changeStepUs))).toBeCloseTo(gpu.stepUs.change ?? Number.NaN, 6);
      expect(sum(parts.map(({ shareOfChange }) => shareOfChange ?? 0))).toBeCloseTo(1, 9);
    }
    const simulatedS = metrics.find(({ name }) => name === "engine.simulatedS")?.change ?? Number.NaN;
    expect(whole + (gpu.idleUs.change ?? 0)).toBeCloseTo(simulatedS * 1e6, 0);
  });

  it("finds the same parts in the summaries as in the step logs", () => {
    const [logged, summed] = [runDiff(base, otherGpu).gpu, runDiff(withoutLog(base), withoutLog(otherGpu)).gpu];
    expect([logged.source, summed.source]).toEqual(["step-log", "summary"]);
    for (const part of logged.components) {
      const same = summed.components.find(({ name }) => name === part.name);
      // The clock counts whole µs.
      expect(same?.changeUs, part.name).toBeCloseTo(part.changeUs, -4);
    }
  });

  it("adds the parts of requests' lives, and the bins of the timeline, up to the mean change", () => {
    const { paired } = runDiff(base, fewSequences);
    const latency = (name: string) => paired?.latencies.find((one) => one.latency === name)?.meanMs ?? Number.NaN;
    expect(sum((paired?.e2eParts ?? []).map(({ change }) => change ?? 0))).toBeCloseTo(latency("e2eMs"), 6);
    for (const name of ["ttftMs", "e2eMs"] as const) {
      const { meanMs = [], numRequests = [] } = paired?.timeline?.[name] ?? {};
      expect(sum(numRequests)).toBe(paired?.numPairs);
      const changes = meanMs.map((mean, bin) => (mean ?? 0) * (numRequests[bin] ?? 0));
      expect(sum(changes) / (paired?.numPairs ?? 0)).toBeCloseTo(latency(name), 6);
    }
  });
});

describe("a planted change", () => {
  it("fewer sequences make requests wait, and the changed key is named", () => {
    const { config, paired, gpu, isIdentical } = runDiff(base, fewSequences);
    expect(isIdentical).toBe(false);
    expect(config).toEqual([{ path: "engine.maxNumSeqs", before: 12, after: 6 }]);
    const changes = Object.fromEntries((paired?.e2eParts ?? []).map(({ part, change }) => [part, change ?? 0]));
    expect(changes.waitingMs).toBeGreaterThan(Math.abs(changes.decodeMs ?? 0));
    expect(gpu.byNumberUs).toBeGreaterThan(0);
    expect(gpu.byLengthUs).toBeLessThan(0);
  });

  it("a slower GPU makes every component that moves bytes longer", () => {
    const { gpu, paired } = runDiff(base, otherGpu);
    const change = (name: string) => gpu.components.find((part) => part.name === name)?.changeStepUs;
    expect(change("gate_up_proj")).toBeGreaterThan(0);
    expect(change("attention_decode")).toBeGreaterThan(0);
    expect(paired?.latencies.map(({ numFaster }) => numFaster)).toEqual([0, 0, 0]);
  });

  it("another seed is other requests: they are not paired, and the change is called chance", () => {
    const { paired, notPaired, notes } = runDiff(base, otherSeed);
    expect([paired, notPaired]).toEqual([null, "the seeds differ, so the requests do"]);
    expect(notes).toEqual(["only the seed differs: all changes are chance"]);
  });

  it("says so when the simulator itself may differ, and when one step log alone cannot be used", () => {
    const older = { ...withoutLog(base), summary: { ...base.summary, version: "0.0.1" } };
    const { notes, gpu } = runDiff(older, base);
    expect(notes).toEqual([
      expect.stringContaining("A was made by roofserve 0.0.1, B by"),
      "only B has a step log, so it is not used",
    ]);
    expect(gpu.source).toBe("summary");
  });

  it("lists the numbers in one order for any two runs, what clients see first", () => {
    const names = (diff: RunDiff) => diff.metrics.map(({ name }) => name);
    expect(names(runDiff(base, fewSequences))).toEqual(names(runDiff(otherGpu, base)));
    const groups = runDiff(base, fewSequences).metrics.map(({ group }) => group);
    expect(groups.lastIndexOf("service")).toBeLessThan(groups.indexOf("engine"));
  });

  it("calls no throughput better where the clients sent something else, and no words about a workload a difference", () => {
    const faster = { ...BUSY, workload: { ...BUSY.workload, profile: { kind: "poisson", rate: 60 } } };
    const better = (b: ComparedRun) =>
      runDiff(base, b).metrics.find(({ name }) => name === "throughput.outputTokensPerS")?.better;
    expect([better(fewSequences), better(comparedRun("faster", faster))]).toEqual(["higher", null]);
    const described = { ...BUSY, workload: { ...BUSY.workload, description: "the same in other words" } };
    expect(runDiff(base, comparedRun("described", described)).config).toEqual([]);
  });
});
