import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createWorkload } from "../../src/core/workload/createWorkload.js";
import { closedLoopWorkload, workloadFromSpecs } from "../../src/core/workload/specWorkload.js";
import { workloadConfigSchema } from "../../src/core/workload/workloadConfig.js";
import { serve } from "../reference/instantServer.js";

const SEED = { seed: 20261121, numRuns: 150 };

const length = fc.oneof(
  fc.record({ kind: fc.constant("fixed"), tokens: fc.integer({ min: 1, max: 50 }) }),
  fc.record({
    kind: fc.constant("uniform"),
    min: fc.integer({ min: 1, max: 9 }),
    max: fc.integer({ min: 9, max: 60 }),
  }),
  fc.record({
    kind: fc.constant("lognormal"),
    mean: fc.integer({ min: 1, max: 80 }),
    cv: fc.double({ min: 0, max: 2, noNaN: true }),
  }),
);
const rate = fc.double({ min: 0.1, max: 50, noNaN: true });
const profile = fc.oneof(
  fc.constant({ kind: "synchronous" }),
  fc.record({
    kind: fc.constant("concurrent"),
    streams: fc.integer({ min: 1, max: 9 }),
    rampUpS: fc.integer({ min: 0, max: 3 }),
  }),
  fc.record({ kind: fc.constant("throughput"), maxConcurrency: fc.option(fc.integer({ min: 1, max: 9 })) }),
  fc.record({ kind: fc.constant("constant"), rate }),
  fc.record({ kind: fc.constant("poisson"), rate }),
  fc.record({ kind: fc.constant("gamma"), rate, burstiness: fc.double({ min: 0.1, max: 9, noNaN: true }) }),
);
const session = fc.record({
  turns: fc.record({ kind: fc.constant("uniform"), min: fc.constant(1), max: fc.integer({ min: 1, max: 5 }) }),
  think: fc.record({ kind: fc.constant("exponential"), meanS: fc.double({ min: 0, max: 2, noNaN: true }) }),
});
const data = fc.record({
  kind: fc.constant("lengths"),
  prompt: length,
  output: length,
  prefix: fc.option(fc.record({ tokens: fc.integer({ min: 1, max: 99 }), count: fc.integer({ min: 1, max: 5 }) })),
  session: fc.option(session),
});
const workload = fc
  .record({
    profile,
    data,
    maxRequests: fc.integer({ min: 1, max: 60 }),
    maxSeconds: fc.option(fc.integer({ min: 1, max: 20 })),
  })
  .map((fields) => workloadConfigSchema.parse(fields));
const serviceUs = fc.integer({ min: 1, max: 3_000_000 });
const seed = fc.nat(1000);

/** A service time that differs between requests but not between runs. */
const varied = (meanUs: number) => (spec: { id: string; maxTokens: number }) => (meanUs * (spec.maxTokens % 7)) / 3;

describe("every generated workload", () => {
  it("sends integer arrivals that never decrease, valid requests with ids of their own, within its limits", () => {
    fc.assert(
      fc.property(workload, seed, serviceUs, (config, runSeed, meanUs) => {
        const { specs } = serve(createWorkload(config, runSeed), varied(meanUs));
        expect(specs.length).toBeLessThanOrEqual(config.maxRequests as number);
        expect(new Set(specs.map((spec) => spec.id)).size).toBe(specs.length);
        const endUs = (config.maxSeconds ?? Number.POSITIVE_INFINITY) * 1e6;
        specs.forEach((spec, i) => {
          expect(Number.isSafeInteger(spec.arrivalUs)).toBe(true);
          expect(spec.arrivalUs).toBeGreaterThanOrEqual(specs[i - 1]?.arrivalUs ?? 0);
          expect(spec.arrivalUs).toBeLessThan(endUs);
          expect(spec.arrivalUs + spec.timeoutUs).toBeGreaterThanOrEqual(Math.min(endUs, Number.MAX_SAFE_INTEGER));
          expect(spec.maxTokens).toBeGreaterThanOrEqual(1);
          const sum = spec.promptSegments.reduce((total, segment) => total + segment.numTokens, 0);
          expect(spec.numPromptTokens).toBe(sum);
          expect(
            spec.promptSegments.every((segment) => segment.numTokens >= 1 && Number.isSafeInteger(segment.contentId)),
          ).toBe(true);
        });
      }),
      SEED,
    );
  });

  it("sends all it may: without a time limit exactly maxRequests", () => {
    fc.assert(
      fc.property(workload, seed, serviceUs, (config, runSeed, meanUs) => {
        const unlimited = { ...config, maxSeconds: null };
        expect(serve(createWorkload(unlimited, runSeed), varied(meanUs)).specs).toHaveLength(
          config.maxRequests as number,
        );
      }),
      SEED,
    );
  });

  it("keeps no more in flight than its closed loop has streams", () => {
    fc.assert(
      fc.property(workload, seed, serviceUs, (config, runSeed, meanUs) => {
        const { profile: arrival } = config;
        const limit = {
          synchronous: 1,
          concurrent: "streams" in arrival ? arrival.streams : 0,
          throughput: "maxConcurrency" in arrival ? arrival.maxConcurrency : 0,
        };
        const streams = limit[arrival.kind as keyof typeof limit] ?? Number.POSITIVE_INFINITY;
        const { peakInFlight } = serve(createWorkload(config, runSeed), varied(meanUs));
        expect(peakInFlight).toBeLessThanOrEqual(streams);
      }),
      SEED,
    );
  });

  it("gives the same bytes for the same seed", () => {
    fc.assert(
      fc.property(workload, seed, serviceUs, (config, runSeed, meanUs) => {
        const run = () => JSON.stringify(serve(createWorkload(config, runSeed), varied(meanUs)).specs);
        expect(run()).toBe(run());
      }),
      SEED,
    );
  });

  it("asks the same whatever the server's speed", () => {
    const asked = (config: Parameters<typeof createWorkload>[0], runSeed: number, meanUs: number) =>
      new Map(
        serve(createWorkload(config, runSeed), varied(meanUs)).specs.map((spec) => [
          spec.id,
          JSON.stringify([spec.promptSegments, spec.maxTokens, spec.outputContentId]),
        ]),
      );
    fc.assert(
      fc.property(workload, seed, serviceUs, serviceUs, (config, runSeed, fastUs, slowUs) => {
        const unlimited = { ...config, maxSeconds: null };
        const slow = asked(unlimited, runSeed, slowUs);
        for (const [id, request] of asked(unlimited, runSeed, fastUs)) {
          if (slow.has(id)) expect(slow.get(id)).toBe(request);
        }
      }),
      SEED,
    );
  });

  it("a shared prefix moves neither arrivals nor lengths", () => {
    fc.assert(
      fc.property(workload, seed, (config, runSeed) => {
        if (config.data.kind !== "lengths") return;
        const run = (prefix: object | null) => {
          const changed = workloadConfigSchema.parse({ ...config, data: { ...config.data, prefix } });
          return serve(createWorkload(changed, runSeed), () => 1000).specs;
        };
        const without = run(null).map((spec) => [spec.arrivalUs, spec.numPromptTokens, spec.maxTokens]);
        const behind = run({ tokens: 32, count: 4 }).map((spec) => [
          spec.arrivalUs,
          spec.numPromptTokens - 32,
          spec.maxTokens,
        ]);
        expect(behind).toEqual(without);
      }),
      SEED,
    );
  });
});

const specList = fc
  .array(fc.record({ arrivalUs: fc.nat(1_000_000), maxTokens: fc.integer({ min: 1, max: 20 }) }), { maxLength: 40 })
  .map((rows) =>
    rows.map((row, i) => ({
      ...row,
      id: `r${i}`,
      promptSegments: [{ contentId: i, numTokens: 3 }],
      numPromptTokens: 3,
      outputContentId: 1000 + i,
      priority: 0,
      lora: null,
      timeoutUs: Number.POSITIVE_INFINITY,
      sessionId: null,
    })),
  );

describe("workloads of given requests", () => {
  it("open loop: a stable sort by arrival, nothing else changed", () => {
    fc.assert(
      fc.property(specList, serviceUs, (specs, meanUs) => {
        const sorted = [...specs].sort((a, b) => a.arrivalUs - b.arrivalUs);
        expect(serve(workloadFromSpecs(specs), varied(meanUs)).specs).toEqual(sorted);
      }),
      SEED,
    );
  });

  it("closed loop: list order, never more in flight than allowed, a new one the moment one ends", () => {
    fc.assert(
      fc.property(specList, fc.integer({ min: 1, max: 6 }), serviceUs, (specs, concurrency, meanUs) => {
        const run = serve(closedLoopWorkload(specs, concurrency), varied(meanUs));
        expect(run.specs.map((spec) => spec.id)).toEqual(specs.map((spec) => spec.id));
        expect(run.peakInFlight).toBe(Math.min(concurrency, specs.length));
        const ends = new Set(run.endUs.values());
        for (const spec of run.specs.slice(concurrency)) expect(ends.has(spec.arrivalUs)).toBe(true);
      }),
      SEED,
    );
  });
});
