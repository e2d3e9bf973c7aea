import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EMPTY_DISTRIBUTION } from "../../../../src/core/metrics/distribution.js";
import type { RequestRecord, RequestStatus } from "../../../../src/core/metrics/requestRecord.js";
import { interTokenMs, summariseRecords } from "../../../../src/core/metrics/runMetrics.js";

function record(fields: Partial<RequestRecord> = {}): RequestRecord {
  return {
    id: "r",
    sessionId: null,
    status: "completed",
    reason: null,
    arrivalUs: 0,
    firstScheduledUs: 1_000,
    firstTokenUs: 20_000,
    lastTokenUs: 120_000,
    queueUs: 500,
    numPromptTokens: 10,
    numCachedTokens: 0,
    numOutputTokens: 11,
    numPreemptions: 0,
    ...fields,
  };
}

const statuses: RequestStatus[] = ["completed", "rejected", "aborted", "unfinished"];

describe("summariseRecords", () => {
  it("gives count 0 and nulls, never NaN, for no requests", () => {
    const metrics = summariseRecords([]);
    expect(metrics.requests).toEqual({ submitted: 0, completed: 0, rejected: 0, aborted: 0, unfinished: 0 });
    expect(metrics.e2eMs).toEqual(EMPTY_DISTRIBUTION);
    expect(metrics.throughput).toEqual({ requestsPerS: null, promptTokensPerS: null, outputTokensPerS: null });
    expect(JSON.stringify(metrics)).not.toContain("NaN");
  });

  it("measures TTFT and E2E from arrival and TPOT over the tokens after the first", () => {
    const metrics = summariseRecords([record()]);
    expect([metrics.ttftMs.mean, metrics.e2eMs.mean, metrics.queueMs.mean]).toEqual([20, 120, 0.5]);
    expect(metrics.tpotMs.mean).toBe((120 - 20) / 10);
    expect(metrics.itlMs.count).toBe(10);
  });

  it("weights ITL by tokens and TPOT by requests", () => {
    const short = record({ numOutputTokens: 2, lastTokenUs: 30_000 });
    const long = record({ numOutputTokens: 101, lastTokenUs: 20_000 + 100 * 5_000 });
    const metrics = summariseRecords([short, long]);
    expect(metrics.tpotMs.mean).toBe((10 + 5) / 2);
    expect(metrics.itlMs.mean).toBeCloseTo((1 * 10 + 100 * 5) / 101, 12);
    expect(metrics.itlMs.p50).toBe(5);
  });

  it("leaves one-token requests out of TPOT, not out of E2E", () => {
    const metrics = summariseRecords([record({ numOutputTokens: 1, lastTokenUs: 20_000 })]);
    expect(metrics.tpotMs).toEqual(EMPTY_DISTRIBUTION);
    expect(metrics.itlMs).toEqual(EMPTY_DISTRIBUTION);
    expect(metrics.e2eMs.count).toBe(1);
    expect(interTokenMs(record({ numOutputTokens: 0 }))).toBeNaN();
  });

  it("divides completed work by the span of all requests", () => {
    const failed = record({ status: "aborted", arrivalUs: 1_000_000, lastTokenUs: 2_000_000 });
    const metrics = summariseRecords([record(), failed]);
    expect(metrics.throughput).toEqual({ requestsPerS: 0.5, promptTokensPerS: 5, outputTokensPerS: 5.5 });
    expect(metrics.requests).toMatchObject({ submitted: 2, completed: 1, aborted: 1 });
  });

  it("conserves requests, and keeps every latency to completed ones", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...statuses), { maxLength: 50 }), (outcomes) => {
        const records = outcomes.map((status, i) =>
          record({ status, arrivalUs: i * 1_000, lastTokenUs: i * 1_000 + 5e4 }),
        );
        const { requests, e2eMs } = summariseRecords(records);
        expect(requests.completed + requests.rejected + requests.aborted + requests.unfinished).toBe(outcomes.length);
        expect(e2eMs.count).toBe(requests.completed);
      }),
      { seed: 20260221, numRuns: 100 },
    );
  });
});
