import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BREAKDOWNS, errorBreakdown } from "../../../../src/core/evaluation/errorBreakdown.js";
import { requestsInFlight } from "../../../../src/core/evaluation/inFlight.js";
import type { MeasuredRequest, MeasuredRun, MeasuredStage } from "../../../../src/core/metrics/measuredExperiment.js";
import { endUs } from "../../../../src/core/metrics/requestEnd.js";
import type { RequestRecord } from "../../../../src/core/metrics/requestRecord.js";
import { type RequestSpec, requestSpec } from "../../../../src/core/request/requestSpec.js";

/** One request in both worlds, ms from its arrival. */
interface Pair {
  readonly arrivalMs: number;
  readonly numPromptTokens: number;
  readonly status: RequestRecord["status"];
  readonly failed: boolean;
  readonly simulated: readonly [ttftMs: number, decodeMs: number];
  readonly measured: readonly [ttftMs: number, decodeMs: number];
}

const OUTPUT_TOKENS = 5;

function recordOf({ arrivalMs, numPromptTokens, status, simulated }: Pair, i: number): RequestRecord {
  const [ttftMs, decodeMs] = simulated;
  const hasTokens = status === "completed";
  return {
    id: `r${i}`,
    sessionId: null,
    status,
    reason: null,
    arrivalUs: arrivalMs * 1000,
    firstScheduledUs: arrivalMs * 1000,
    firstTokenUs: hasTokens ? (arrivalMs + ttftMs) * 1000 : Number.NaN,
    lastTokenUs: hasTokens ? (arrivalMs + ttftMs + decodeMs) * 1000 : Number.NaN,
    queueUs: 0,
    numPromptTokens,
    numCachedTokens: 0,
    numOutputTokens: hasTokens ? OUTPUT_TOKENS : 0,
    numPreemptions: 0,
  };
}

function replayOf(pairs: readonly Pair[], stages?: readonly MeasuredStage[]) {
  const records = pairs.map(recordOf);
  const specs: RequestSpec[] = pairs.map(({ arrivalMs, numPromptTokens }, i) =>
    requestSpec({
      id: `r${i}`,
      arrivalUs: arrivalMs * 1000,
      promptSegments: [{ contentId: i, numTokens: numPromptTokens }],
      maxTokens: OUTPUT_TOKENS,
      outputContentId: -1 - i,
      timeoutUs: 300_000,
    }),
  );
  const measured = pairs.map(({ measured: [ttftMs, decodeMs], failed }): MeasuredRequest => {
    return { ttftMs, e2eMs: ttftMs + decodeMs, itlMs: decodeMs / (OUTPUT_TOKENS - 1), failed };
  });
  const whole = { name: "all", firstIndex: 0, endIndex: pairs.length, requestsPerS: null, aggregates: null };
  const run: MeasuredRun = {
    name: "run",
    closedLoopConcurrency: null,
    specs,
    measured,
    stages: stages ?? [whole],
    aggregates: null,
    outputTokensPerS: null,
    excluded: null,
  };
  return { run, records };
}

const latencies = fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 900 }));
const pairs = fc
  .array(
    fc.record({
      arrivalMs: fc.integer({ min: 0, max: 3000 }),
      numPromptTokens: fc.integer({ min: 1, max: 5000 }),
      status: fc.constantFrom("completed", "completed", "completed", "aborted", "rejected", "unfinished" as const),
      failed: fc.constantFrom(false, false, false, true),
      simulated: latencies,
      measured: latencies,
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((unordered): Pair[] => [...unordered].sort((a, b) => a.arrivalMs - b.arrivalMs));

const SETTINGS = { seed: 20261126, numRuns: 200 };

describe("requests in flight", () => {
  it("are those sent before and not yet done with, counted one by one", () => {
    fc.assert(
      fc.property(pairs, (list) => {
        const { run, records } = replayOf(list);
        const expected = records.map(({ arrivalUs }, i) => {
          const before = records.slice(0, i).filter((record, j) => {
            const end = endUs(record, run.specs[j]!);
            return Number.isNaN(end) || end > arrivalUs;
          });
          return 1 + before.length;
        });
        expect(requestsInFlight(records, run.specs)).toEqual(expected);
      }),
      SETTINGS,
    );
  });
});

describe("errors by group", () => {
  it.each(BREAKDOWNS)("by %s, put each compared request into one group of each latency", (by) => {
    fc.assert(
      fc.property(pairs, (list) => {
        const { run, records } = replayOf(list, [
          { name: "a", firstIndex: 0, endIndex: 3, requestsPerS: 8, aggregates: null },
          { name: "b", firstIndex: 3, endIndex: list.length, requestsPerS: 2.5, aggregates: null },
        ]);
        const { groups } = errorBreakdown(by, { run, records });
        const compared = list.filter(({ status, failed }) => status === "completed" && !failed);
        for (const metric of by === "phase" ? ["ttftMs", "decodeMs"] : ["ttftMs", "e2eMs"]) {
          const rows = groups.filter((row) => row.metric === metric);
          expect(rows.reduce((sum, row) => sum + row.numRequests, 0)).toBe(compared.length);
          // Weighted by their requests, the groups' means are the mean of all.
          const total = rows.reduce((sum, row) => sum + row.numRequests * (row.predictedMs ?? 0), 0);
          const parts = { ttftMs: [1, 0], decodeMs: [0, 1], e2eMs: [1, 1] }[metric] as [number, number];
          const all = compared.reduce(
            (sum, { simulated }) => sum + parts[0] * simulated[0] + parts[1] * simulated[1],
            0,
          );
          expect(total).toBeCloseTo(all, 6);
        }
        for (const { mapePercent, errorPercent } of groups) {
          expect(mapePercent === null).toBe(errorPercent === null);
          expect(mapePercent ?? 0).toBeGreaterThanOrEqual(0);
        }
      }),
      SETTINGS,
    );
  });

  const pair = (arrivalMs: number, numPromptTokens: number, simulated: Pair["simulated"]): Pair => {
    return { arrivalMs, numPromptTokens, status: "completed", failed: false, simulated, measured: [100, 400] };
  };

  it("by phase tell the first token from those after it", () => {
    const { groups } = errorBreakdown("phase", replayOf([pair(0, 10, [50, 500]), pair(0, 10, [150, 500])]));
    expect(groups).toEqual([
      {
        group: "prefill",
        metric: "ttftMs",
        from: null,
        numRequests: 2,
        measuredMs: 100,
        predictedMs: 100,
        errorPercent: 0,
        mapePercent: 50,
      },
      {
        group: "decode",
        metric: "decodeMs",
        from: null,
        numRequests: 2,
        measuredMs: 400,
        predictedMs: 500,
        errorPercent: 25,
        mapePercent: 25,
      },
    ]);
  });

  it("by batch are ascending in the requests that were in flight", () => {
    const list = [0, 0, 10, 20, 30, 5000].map((arrivalMs) => pair(arrivalMs, 10, [50, 350]));
    const { groups } = errorBreakdown("batch", replayOf(list));
    expect(groups.map(({ group, metric, numRequests }) => [group, metric, numRequests])).toEqual([
      ["1 in flight", "e2eMs", 2],
      ["1 in flight", "ttftMs", 2],
      ["2–4 in flight", "e2eMs", 3],
      ["2–4 in flight", "ttftMs", 3],
      ["5–8 in flight", "e2eMs", 1],
      ["5–8 in flight", "ttftMs", 1],
    ]);
    expect(groups[4]!.from).toBe(5);
    expect(groups[0]).toMatchObject({ measuredMs: 500, predictedMs: 400, errorPercent: -20 });
  });

  it("by context count prompt and output together", () => {
    const list = [3, 4, 11].map((tokens) => pair(0, tokens, [50, 350]));
    const { groups } = errorBreakdown("context", replayOf(list));
    expect(groups.map(({ group, numRequests }) => [group, numRequests])).toEqual([
      ["5–8 tokens", 1],
      ["5–8 tokens", 1],
      ["9–16 tokens", 2],
      ["9–16 tokens", 2],
    ]);
  });

  it("by load join stages of equal load, and are one group where no load was planned", () => {
    const list = Array.from({ length: 6 }, (_, i) => pair(i, 10, [50, 350]));
    const stage = (firstIndex: number, endIndex: number, requestsPerS: number) => {
      return { name: `stage ${firstIndex}`, firstIndex, endIndex, requestsPerS, aggregates: null };
    };
    const stages = [stage(0, 1, 20), stage(1, 4, 8), stage(4, 6, 20)];
    const names = (replay: ReturnType<typeof replayOf>) =>
      errorBreakdown("load", replay).groups.map(({ group, numRequests }) => [group, numRequests]);
    expect(names(replayOf(list, stages))).toEqual([
      ["8 requests/s", 3],
      ["8 requests/s", 3],
      ["20 requests/s", 3],
      ["20 requests/s", 3],
    ]);
    expect(names(replayOf(list))).toEqual([
      ["run", 6],
      ["run", 6],
    ]);
  });

  it("leave out a latency that was not recorded, and are null where none was", () => {
    const { run, records } = replayOf([pair(0, 10, [50, 350]), pair(1, 10, [50, 350])]);
    const blind = (measured: MeasuredRequest) => ({ ...measured, ttftMs: Number.NaN });
    const one = { run: { ...run, measured: [run.measured[0]!, blind(run.measured[1]!)] }, records };
    expect(errorBreakdown("load", one).groups.map(({ numRequests }) => numRequests)).toEqual([2, 1]);
    const none = { run: { ...run, measured: run.measured.map(blind) }, records };
    expect(errorBreakdown("load", none).groups[1]).toMatchObject({
      numRequests: 0,
      measuredMs: null,
      mapePercent: null,
    });
    expect(errorBreakdown("phase", { run: { ...run, measured: [] }, records }).groups[0]).toMatchObject({
      numRequests: 0,
      errorPercent: null,
    });
  });
});
