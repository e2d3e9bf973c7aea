import { describe, expect, it } from "vitest";
import { type RunDigest, RunDigester } from "../../../../../src/core/analysis/digest/runDigest.js";
import { parseConfig } from "../../../../../src/core/config/parseConfig.js";
import { runConfigSchema } from "../../../../../src/core/engine/runConfig.js";
import { type SimulationResult, simulate } from "../../../../../src/core/engine/simulate.js";
import { observeAll } from "../../../../../src/core/engine/stepObservers.js";
import { endUs } from "../../../../../src/core/metrics/requestEnd.js";
import type { RequestRecord } from "../../../../../src/core/metrics/requestRecord.js";
import { loadDeployment } from "../../../../../src/io/loadDeployment.js";
import { BUSY } from "../loggedRun.js";

interface DigestedRun extends SimulationResult {
  readonly digest: RunDigest;
  /** Tokens that all steps computed. */
  readonly computedTokens: number;
}

function digestedRun(input: object): DigestedRun {
  const config = parseConfig(runConfigSchema, input, "");
  const digester = new RunDigester();
  let computedTokens = 0;
  const counter = {
    onStep({ batch }: { batch: { numTokens: number } }) {
      computedTokens += batch.numTokens;
    },
  };
  const observer = observeAll([digester, counter])!;
  const result = simulate(loadDeployment(config), config, { observer });
  return { ...result, digest: digester.digest(result), computedTokens };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

const CALM = {
  ...BUSY,
  engine: { ...BUSY.engine, numGpuBlocksOverride: null, enablePrefixCaching: false },
  workload: { ...BUSY.workload, profile: { kind: "poisson", rate: 3 } },
};
/** So many requests that slices are joined again and again. */
const LONG = { ...CALM, workload: { ...CALM.workload, maxRequests: 400 } };
const IMPATIENT = { ...BUSY, workload: { ...BUSY.workload, timeoutS: 2 } };

describe.each([
  ["a calm run", CALM],
  ["a run with preemptions", BUSY],
  ["a long run", LONG],
  ["a run that clients give up on", IMPATIENT],
])("the digest of %s", (_name, config) => {
  const { digest, records, specs, summary, computedTokens } = digestedRun(config);
  const { timeline } = digest;

  it("spreads the time requests were in service and waited, none lost", () => {
    const ends = records.map((record, i) => endUs(record, specs[i]!));
    const wasScheduled = ({ firstScheduledUs }: RequestRecord) => !Number.isNaN(firstScheduledUs);
    const stays = records.map((record, i) => (wasScheduled(record) ? ends[i]! - record.firstScheduledUs : 0));
    const waits = records.map(
      (record, i) => (wasScheduled(record) ? record.firstScheduledUs : ends[i]!) - record.arrivalUs,
    );
    expect(sum(timeline.running) * timeline.sliceS).toBeCloseTo(sum(stays) / 1e6, 6);
    expect(sum(timeline.waiting) * timeline.sliceS).toBeCloseTo(sum(waits) / 1e6, 6);
    expect(sum(stays)).toBeGreaterThan(0);
  });

  it("holds every step and every token that was computed", () => {
    expect(sum(timeline.steps)).toBeCloseTo(summary.engine.steps, 6);
    expect(sum(timeline.prefillTokens) + sum(timeline.decodeTokens)).toBeCloseTo(computedTokens, 4);
    expect(sum(timeline.preemptions)).toBeCloseTo(summary.engine.preemptions, 6);
  });

  it("keeps to a bounded number of slices, and the KV cache between empty and full", () => {
    expect(timeline.steps.length).toBeLessThanOrEqual(240);
    for (const fraction of timeline.kvFraction) {
      expect(fraction).toBeGreaterThanOrEqual(0);
      expect(fraction).toBeLessThanOrEqual(1 + 1e-9);
    }
    expect(timeline.steps.length * timeline.sliceS).toBeGreaterThanOrEqual(summary.engine.simulatedS - timeline.sliceS);
  });

  it("draws the distributions that the summary summarises", () => {
    for (const latency of ["ttftMs", "itlMs", "gapMs", "e2eMs", "queueMs"] as const) {
      const { p50, p99, max } = summary[latency];
      const drawn = digest.quantiles[latency]!;
      expect([drawn[50], drawn[99], drawn[100]], latency).toEqual([p50, p99, max]);
    }
  });

  it("shares out the steps' time as the summary does, each component's by what binds it", () => {
    expect(digest.components.map(({ name, fraction }) => [name, fraction])).toEqual(Object.entries(summary.bottleneck));
    for (const { name, us, boundUs } of digest.components) {
      expect(sum(Object.values(boundUs)), name).toBeCloseTo(us, 3);
    }
    expect(sum(digest.bounds.map(({ fraction }) => fraction))).toBeCloseTo(1, 9);
  });

  it("counts limited time as the run's regime does", () => {
    const { sequences, tokens, kvBlocks } = digest.limits;
    const limitedS = (sequences + tokens + kvBlocks) * summary.engine.busyFraction * summary.engine.simulatedS;
    expect(limitedS / summary.engine.simulatedS).toBeCloseTo(summary.regime.limitedFraction, 6);
  });

  it("follows its slowest requests from their arrival to their end without a hole", () => {
    const { toFinish, toFirstToken } = digest.slowest;
    expect(toFinish[0]?.e2eMs).toBe(summary.e2eMs.max);
    expect(toFirstToken[0]?.ttftMs).toBe(summary.ttftMs.max);
    for (const { spans, e2eMs } of [...toFinish, ...toFirstToken]) {
      expect(spans[0]?.startMs).toBe(0);
      expect(spans.at(-1)?.endMs).toBeCloseTo(e2eMs, 9);
      for (const [i, { startMs }] of spans.entries()) if (i > 0) expect(startMs).toBe(spans[i - 1]!.endMs);
    }
  });
});

describe("a digest", () => {
  it("has as many tokens as the requests have, where nothing is cached or computed twice", () => {
    const { digest, records } = digestedRun({ ...CALM, engine: { ...CALM.engine, asyncScheduling: false } });
    const asked = records.map(({ numPromptTokens, numOutputTokens }) => numPromptTokens + numOutputTokens - 1);
    const { prefillTokens, decodeTokens } = digest.timeline;
    expect(sum(prefillTokens)).toBeCloseTo(sum(records.map(({ numPromptTokens }) => numPromptTokens)), 4);
    expect(sum(prefillTokens) + sum(decodeTokens)).toBeCloseTo(sum(asked), 4);
  });

  it("shows where a preempted request lost its place", () => {
    const { digest, summary } = digestedRun(BUSY);
    expect(summary.engine.preemptions).toBeGreaterThan(0);
    const preempted = digest.slowest.toFinish.filter(({ numPreemptions }) => numPreemptions > 0);
    expect(preempted.length).toBeGreaterThan(0);
    for (const { spans } of preempted) expect(spans.map(({ phase }) => phase)).toContain("preempted");
    expect(digest.limits.kvBlocks).toBeGreaterThan(0);
  });

  it("grows in nothing but digits when the run grows tenfold", () => {
    const size = (config: object) => JSON.stringify(digestedRun(config).digest).length;
    expect(size(LONG)).toBeLessThan(1.5 * 60_000);
    expect(size(LONG)).toBeLessThan(2.5 * size(CALM));
  });

  it("is the same to the last bit for the same run", () => {
    expect(JSON.stringify(digestedRun(BUSY).digest)).toBe(JSON.stringify(digestedRun(BUSY).digest));
  });
});
