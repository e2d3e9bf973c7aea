import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../../src/core/errors/simulationError.js";
import { requestSpec } from "../../../../src/core/request/requestSpec.js";
import { createWorkload } from "../../../../src/core/workload/createWorkload.js";
import { workloadConfigSchema } from "../../../../src/core/workload/workloadConfig.js";
import { serve } from "../../../reference/instantServer.js";

const LENGTHS = {
  kind: "lengths",
  prompt: { kind: "uniform", min: 5, max: 90 },
  output: { kind: "uniform", min: 1, max: 9 },
};
const SESSION = { turns: { kind: "fixed", tokens: 3 }, think: { kind: "fixed", seconds: 2 } };

const config = (fields: object) =>
  workloadConfigSchema.parse({ profile: { kind: "poisson", rate: 10 }, data: LENGTHS, maxRequests: 20, ...fields });
const specsOf = (fields: object, serviceUs = 300_000, seed = 1) =>
  serve(createWorkload(config(fields), seed), () => serviceUs).specs;

const traceSpecs = [400, 100, 100].map((arrivalMs, i) =>
  requestSpec({
    id: `t${i}`,
    arrivalUs: arrivalMs * 1000,
    promptSegments: [{ contentId: i, numTokens: 10 + i }],
    maxTokens: 5,
    outputContentId: 100 + i,
  }),
);
const TRACE = { data: { kind: "trace", path: "t.csv" }, maxRequests: null };

describe("createWorkload", () => {
  it("sends maxRequests requests of plain prompts with contents of their own", () => {
    const specs = specsOf({});
    expect(specs.map((spec) => spec.id)).toEqual(Array.from({ length: 20 }, (_, i) => `req-${i}`));
    const contents = specs.flatMap((spec) => [spec.promptSegments[0]!.contentId, spec.outputContentId]);
    expect(new Set(contents).size).toBe(40);
    expect(specs.every((spec) => spec.sessionId === null && spec.timeoutUs === Number.POSITIVE_INFINITY)).toBe(true);
  });

  it("stops before maxSeconds, and gives up what is in flight then", () => {
    const fields = { profile: { kind: "constant", rate: 2 }, maxRequests: null, maxSeconds: 5 };
    const specs = specsOf(fields);
    expect(specs).toHaveLength(9);
    expect(specs.at(-1)).toMatchObject({ arrivalUs: 4_500_000, timeoutUs: 500_000 });
    expect(specsOf({ ...fields, atMaxSeconds: "drain" }).at(-1)?.timeoutUs).toBe(Number.POSITIVE_INFINITY);
    expect(specsOf({ ...fields, timeoutS: 0.25 }).at(-1)?.timeoutUs).toBe(250_000);
  });

  it("gives all requests the priority of the config", () => {
    expect(specsOf({ priority: 3 }).every((spec) => spec.priority === 3)).toBe(true);
  });

  it("synchronous: the next request is sent when the one before ends", () => {
    const specs = specsOf({ profile: { kind: "synchronous" }, maxRequests: 4 }, 1000);
    expect(specs.map((spec) => spec.arrivalUs)).toEqual([0, 1000, 2000, 3000]);
  });

  it("concurrent: the first requests ramp up, then each end starts one", () => {
    const profile = { kind: "concurrent", streams: 2, rampUpS: 1 };
    const specs = specsOf({ profile, maxRequests: 4 }, 2_000_000);
    expect(specs.map((spec) => spec.arrivalUs)).toEqual([0, 500_000, 2_000_000, 2_500_000]);
  });

  it("throughput: all at once, or as many as the client keeps in flight", () => {
    const all = specsOf({ profile: { kind: "throughput", maxConcurrency: null } });
    expect(all.every((spec) => spec.arrivalUs === 0)).toBe(true);
    const limited = serve(createWorkload(config({ profile: { kind: "throughput", maxConcurrency: 8 } }), 1), () => 10);
    expect(limited.peakInFlight).toBe(8);
    expect(limited.specs).toHaveLength(20);
  });

  it("shares prefixes: uniform, cyclic and Zipf", () => {
    const prefixes = (popularity: object) =>
      specsOf({ maxRequests: 600, data: { ...LENGTHS, prefix: { tokens: 64, count: 3, popularity } } }).map(
        (spec) => spec.promptSegments[0]!,
      );
    const cyclic = prefixes({ kind: "cyclic" });
    expect(cyclic[0]).toEqual(cyclic[3]);
    expect(new Set(cyclic.slice(0, 3).map((segment) => segment.contentId)).size).toBe(3);
    const countOf = (segments: { contentId: number }[], like: { contentId: number }) =>
      segments.filter((segment) => segment.contentId === like.contentId).length;
    expect(countOf(prefixes({ kind: "uniform" }), cyclic[0]!)).toBeGreaterThan(150);
    expect(countOf(prefixes({ kind: "zipf", exponent: 1 }), cyclic[0]!) / 600).toBeCloseTo(6 / 11, 1);
  });

  it("sessions: a turn repeats all before it and comes a think time after the last one's end", () => {
    const fields = { profile: { kind: "constant", rate: 1 }, data: { ...LENGTHS, session: SESSION }, maxRequests: 9 };
    const specs = specsOf(fields, 100_000);
    const turns = specs.filter((spec) => spec.sessionId === "session-0");
    expect(turns.map((spec) => spec.id)).toEqual(["session-0-turn-1", "session-0-turn-2", "session-0-turn-3"]);
    expect(turns.map((spec) => spec.arrivalUs)).toEqual([1_000_000, 3_100_000, 5_200_000]);
    const [first, second] = turns;
    const history = [...first!.promptSegments, { contentId: first!.outputContentId, numTokens: first!.maxTokens }];
    expect(second!.promptSegments.slice(0, -1)).toEqual(history);
  });

  it("paired rows keep prompt and output together, by weight or in turn", () => {
    const rows = [
      { promptTokens: 10, outputTokens: 1, weight: 9 },
      { promptTokens: 20, outputTokens: 2, weight: 1 },
    ];
    const pairs = (order: string) =>
      specsOf({ maxRequests: 400, data: { kind: "paired", rows, order } }).map((spec) => [
        spec.numPromptTokens,
        spec.maxTokens,
      ]);
    expect(pairs("cyclic").slice(0, 3)).toEqual([
      [10, 1],
      [20, 2],
      [10, 1],
    ]);
    const random = pairs("random");
    expect(random.every(([prompt, output]) => prompt === 10 * output!)).toBe(true);
    expect(random.filter(([prompt]) => prompt === 10).length / 400).toBeCloseTo(0.9, 1);
  });

  it("trace profile: the trace's times, sorted and scaled; other profiles: their own times", () => {
    const trace = createWorkload(config({ ...TRACE, profile: { kind: "trace", timeScale: 0.5 } }), 1, {
      specs: traceSpecs,
    });
    const { specs } = serve(trace, () => 10);
    expect(specs.map((spec) => [spec.id, spec.arrivalUs])).toEqual([
      ["t1", 50_000],
      ["t2", 50_000],
      ["t0", 200_000],
    ]);
    const paced = createWorkload(config({ ...TRACE, profile: { kind: "constant", rate: 1 } }), 1, {
      specs: traceSpecs,
    });
    expect(serve(paced, () => 10).specs.map((spec) => [spec.id, spec.arrivalUs])).toEqual([
      ["t0", 1_000_000],
      ["t1", 2_000_000],
      ["t2", 3_000_000],
    ]);
  });

  it("gamma: the last of the trace's requests arrives at n/rate", () => {
    const gamma = createWorkload(config({ ...TRACE, profile: { kind: "gamma", rate: 2 } }), 1, { specs: traceSpecs });
    expect(serve(gamma, () => 10).specs.at(-1)?.arrivalUs).toBe(1_500_000);
  });

  it.each([
    [{ maxRequests: null }, "workload.maxRequests: got no limit; give --max-requests or --max-seconds"],
    [
      { profile: { kind: "throughput", maxConcurrency: null }, maxRequests: null, maxSeconds: 5 },
      "workload.maxRequests: got no limit; give --max-requests: without a concurrency limit",
    ],
    [{ profile: { kind: "trace" } }, 'workload.data.kind: got "lengths"; the trace profile needs data of kind "trace"'],
    [{ data: { kind: "trace", path: "t.csv" } }, 'workload.data.path: got "t.csv"; read the trace'],
  ])("refuses %j", (fields, message) => {
    expect(() => createWorkload(config(fields), 1)).toThrow(ConfigError);
    expect(() => createWorkload(config(fields), 1)).toThrow(message);
  });

  it("refuses two requests with one id", () => {
    const doubled = [traceSpecs[0]!, traceSpecs[0]!];
    for (const profile of [{ kind: "trace" }, { kind: "synchronous" }]) {
      expect(() => createWorkload(config({ ...TRACE, profile }), 1, { specs: doubled })).toThrow(
        'two requests with id "t0"',
      );
    }
  });
});

describe("workload config", () => {
  it.each([
    [{ profile: { kind: "poisson", rate: 0 } }],
    [{ profile: { kind: "poisson", rate: -1 } }],
    [{ profile: { kind: "poisson", rate: Number.NaN } }],
    [{ profile: { kind: "poisson", rate: Number.POSITIVE_INFINITY } }],
    [{ profile: { kind: "poisson", rate: "5" } }],
    [{ profile: { kind: "poisson", rate: 1, burstiness: 2 } }],
    [{ profile: { kind: "concurrent" } }],
    [{ profile: { kind: "burst" } }],
    [{ maxRequests: 0 }],
    [{ maxRequests: 1.5 }],
    [{ maxSeconds: -1 }],
    [{ maxRequest: 5 }],
  ])("refuses %j", (fields) => {
    expect(() => config(fields)).toThrow();
  });
});
