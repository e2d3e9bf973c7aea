import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SloBroken, SloWatch } from "../../../../../src/core/analysis/plan/sloWatch.js";
import type { RequestRecord, RequestStatus } from "../../../../../src/core/metrics/requestRecord.js";
import { summariseRecords } from "../../../../../src/core/metrics/runMetrics.js";
import { parseSlo } from "../../../../../src/core/metrics/slo.js";
import { checkSlo } from "../../../../../src/core/metrics/sloCheck.js";

function record(ttftMs: number, status: RequestStatus = "completed"): RequestRecord {
  return {
    id: "r",
    sessionId: null,
    status,
    reason: null,
    arrivalUs: 0,
    firstScheduledUs: 0,
    firstTokenUs: ttftMs * 1000,
    lastTokenUs: (ttftMs + 100) * 1000,
    queueUs: ttftMs * 500,
    numPromptTokens: 10,
    numCachedTokens: 0,
    numOutputTokens: 11,
    numPreemptions: 0,
  };
}

/** How many requests a watch lets pass before it stops the run; all of them when it does not. */
function numWatched(text: string, records: readonly RequestRecord[], numRequests = records.length): number {
  const watch = new SloWatch(parseSlo(text), numRequests);
  let num = 0;
  try {
    for (const one of records) {
      watch.add(one);
      num++;
    }
  } catch (error) {
    if (!(error instanceof SloBroken)) throw error;
  }
  return num;
}

describe("SloWatch", () => {
  it("stops a run as soon as its SLO is lost", () => {
    const late = Array.from({ length: 1000 }, () => record(900));
    // Of 1000 values the 990th decides over p99, half way to the 991st: eleven late ones are ten too many.
    expect(numWatched("p99 ttft<=500ms", late)).toBe(10);
    expect(numWatched("p50 ttft<=500ms", late)).toBe(500);
    expect(numWatched("ttft<=500ms, goodput>=95%", late)).toBe(50);
    expect(numWatched("mean ttft<=500ms", late)).toBe(1000);
    expect(numWatched("p99 gap<=1ms", late)).toBe(1000);
  });

  it("lets exactly as many be late as the SLO allows, whatever binary fractions make of it", () => {
    for (const [text, share] of [
      ["ttft<=500ms, goodput>=90%", 0.1],
      ["ttft<=500ms, goodput>=99.9%", 0.001],
    ] as const) {
      const late = Array.from({ length: 2000 * share }, () => record(900));
      const all = [...late, ...Array.from({ length: 2000 - late.length }, () => record(100))];
      expect(numWatched(text, all)).toBe(2000);
      const slo = parseSlo(text);
      expect(checkSlo(slo, summariseRecords(all), 1 - share).every(({ isMet }) => isMet)).toBe(true);
      expect(numWatched(text, [...late, ...all])).toBeLessThan(2000);
    }
  });

  it("never stops a run that would have kept it", () => {
    const records = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 99 }), fc.constantFrom<RequestStatus>("completed", "completed", "aborted")),
      { minLength: 1, maxLength: 120 },
    );
    const slo = fc.constantFrom(
      "p50 ttft<=50",
      "p90 ttft<=90",
      "p95 e2e<=195",
      "p99 queue<=49",
      "ttft<=60, goodput>=.6",
    );
    let numStopped = 0;
    fc.assert(
      fc.property(records, slo, (drawn, text) => {
        const all = drawn.map(([ttft, status]) => record(ttft, status));
        if (numWatched(text, all) === all.length) return;
        numStopped++;
        const watch = new SloWatch(parseSlo(text), null);
        for (const one of all) watch.add(one);
        const checks = checkSlo(parseSlo(text), summariseRecords(all), watch.goodputFraction);
        expect(checks.some(({ isMet }) => !isMet)).toBe(true);
      }),
      { seed: 20261126, numRuns: 2000 },
    );
    expect(numStopped).toBeGreaterThan(200);
  });
});
