import { describe, expect, it } from "vitest";
import { compare, compareRun } from "../../../../src/core/evaluation/compareRun.js";
import type { MeasuredRequest } from "../../../../src/core/metrics/measuredExperiment.js";
import type { RequestRecord } from "../../../../src/core/metrics/requestRecord.js";

/** A completed request of `numOutputTokens`, ms from its arrival. */
function record(arrivalMs: number, ttftMs: number, e2eMs: number, numOutputTokens: number): RequestRecord {
  return {
    id: `r${arrivalMs}`,
    sessionId: null,
    status: "completed",
    reason: null,
    arrivalUs: arrivalMs * 1000,
    firstScheduledUs: arrivalMs * 1000,
    firstTokenUs: (arrivalMs + ttftMs) * 1000,
    lastTokenUs: (arrivalMs + e2eMs) * 1000,
    queueUs: 0,
    numPromptTokens: 10,
    numCachedTokens: 0,
    numOutputTokens,
    numPreemptions: 0,
  };
}

const seen = (ttftMs: number, e2eMs: number, itlMs: number, failed = false): MeasuredRequest => ({
  ttftMs,
  e2eMs,
  itlMs,
  failed,
});

describe("one number measured and predicted", () => {
  it.each([
    [100, 110, 10],
    [100, 90, 10],
    [100, 100, 0],
    [100, 300, 200],
    [0, 5, null],
    [null, 5, null],
    [5, null, null],
    [null, null, null],
  ])("%s against %s is off by %s %%", (measured, predicted, ape) => {
    const comparison = compare(measured, predicted);
    expect(comparison).toMatchObject({ measured, predicted });
    if (ape === null) expect(comparison.ape).toBeNull();
    else expect(comparison.ape).toBeCloseTo(ape, 9);
  });
});

describe("a replay beside its measurement", () => {
  it("is without error when it is the measurement", () => {
    const records = [record(0, 50, 250, 11), record(100, 80, 480, 21), record(300, 10, 10, 1)];
    const measured = [seen(50, 250, 20), seen(80, 480, 20), seen(10, 10, Number.NaN)];
    const { numCompared, metrics, perRequest } = compareRun(measured, records);
    expect(numCompared).toBe(3);
    for (const latency of [metrics.e2eMs, metrics.ttftMs, metrics.itlMs]) {
      for (const { ape, measured: value } of Object.values(latency)) {
        expect(ape).toBeCloseTo(0, 9);
        expect(value).toBeGreaterThan(0);
      }
    }
    expect(metrics.outputTokensPerS.ape).toBeCloseTo(0, 9);
    expect(perRequest).toEqual({ e2eMape: 0, ttftMape: 0 });
    // 33 tokens from 0 to 580 ms.
    expect(metrics.outputTokensPerS.measured).toBeCloseTo(33 / 0.58, 6);
  });

  it("weighs the time between tokens by tokens", () => {
    // 100 gaps of 10 ms and one of 111 ms: 11 ms per gap, not 60 per request.
    const records = [record(0, 10, 1010, 101), record(0, 10, 121, 2)];
    const { metrics } = compareRun([seen(10, 1010, 10), seen(10, 121, 111)], records);
    expect(metrics.itlMs.mean.measured).toBeCloseTo(11, 9);
    expect(metrics.itlMs.mean.predicted).toBeCloseTo(11, 9);
    expect(metrics.itlMs.p50.predicted).toBeCloseTo(10, 9);
  });

  it("compares only what completed in both worlds", () => {
    const records = [
      record(0, 10, 100, 5),
      { ...record(1, 10, 100, 5), status: "aborted" as const },
      record(2, 5, 9, 2),
    ];
    const measured = [seen(20, 200, 45), seen(1, 1, 1), seen(9999, 9999, 9999, true)];
    const { numCompared, metrics, perRequest } = compareRun(measured, records);
    expect(numCompared).toBe(1);
    expect(metrics.e2eMs.mean).toMatchObject({ measured: 200, predicted: 100, ape: 50 });
    expect(perRequest).toEqual({ e2eMape: 50, ttftMape: 50 });
  });

  it("takes each request's own error, so that errors of both signs do not cancel", () => {
    const records = [record(0, 10, 90, 2), record(0, 10, 110, 2)];
    const { metrics, perRequest } = compareRun([seen(10, 100, 90), seen(10, 100, 90)], records);
    expect(metrics.e2eMs.mean.ape).toBeCloseTo(0, 9);
    expect(perRequest.e2eMape).toBeCloseTo(10, 9);
  });

  it.each([
    ["nothing measured", [], [record(0, 1, 2, 3)]],
    ["nothing simulated", [seen(1, 2, 3)], []],
    ["all failed", [seen(1, 2, 3, true)], [record(0, 1, 2, 3)]],
  ] as const)("says nothing of nothing: %s", (_name, measured, records) => {
    const { numCompared, metrics, perRequest } = compareRun(measured, records);
    expect(numCompared).toBe(0);
    expect(metrics.e2eMs.mean).toEqual({ measured: null, predicted: null, ape: null });
    expect(metrics.outputTokensPerS.ape).toBeNull();
    expect(perRequest).toEqual({ e2eMape: null, ttftMape: null });
  });

  it("leaves out latencies that were not recorded", () => {
    const records = [record(0, 10, 100, 5), record(0, 30, 100, 5)];
    const { metrics, perRequest } = compareRun([seen(Number.NaN, 100, 20), seen(20, 100, 20)], records);
    expect(metrics.ttftMs.mean.measured).toBe(20);
    expect(perRequest.ttftMape).toBeCloseTo(50, 9);
  });
});
