import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RequestRecord } from "../../../../src/core/metrics/requestRecord.js";
import { summariseRecords } from "../../../../src/core/metrics/runMetrics.js";
import { parseSlo } from "../../../../src/core/metrics/slo.js";
import { checkSlo, isGood } from "../../../../src/core/metrics/sloCheck.js";

function record(ttftMs: number, itlMs: number, fields: Partial<RequestRecord> = {}): RequestRecord {
  return {
    id: "r",
    sessionId: null,
    status: "completed",
    reason: null,
    arrivalUs: 0,
    firstScheduledUs: 0,
    firstTokenUs: ttftMs * 1000,
    lastTokenUs: (ttftMs + 10 * itlMs) * 1000,
    queueUs: 0,
    numPromptTokens: 10,
    numCachedTokens: 0,
    numOutputTokens: 11,
    numPreemptions: 0,
    ...fields,
  };
}

const check = (text: string, records: RequestRecord[]) => {
  const slo = parseSlo(text);
  const numGood = records.filter((one) => isGood(one, slo)).length;
  return checkSlo(slo, summariseRecords(records), numGood / records.length);
};

describe("an SLO", () => {
  it("is held against the run's own statistics, the limit itself included", () => {
    const records = [record(100, 10), record(200, 20)];
    expect(check("mean ttft<=150, p50 e2e<=299", records)).toEqual([
      { name: "mean TTFT", limit: 150, value: 150, isMet: true },
      { name: "p50 E2E", limit: 299, value: 300, isMet: false },
    ]);
  });

  it("counts a request as good when it keeps every limit on each, those on statistics aside", () => {
    const records = [record(100, 10), record(100, 31), record(301, 10), record(300, 30)];
    const [, goodput] = check("p99 ttft<=1, ttft<=300, itl<=30, goodput>=50%", records);
    expect(goodput).toEqual({ name: "goodput", limit: 0.5, value: 0.5, isMet: true });
    expect(check("ttft<=300, itl<=30, goodput>=51%", records)[0]?.isMet).toBe(false);
  });

  it("asks nothing of the tokens between of a request that has one", () => {
    const single = record(100, 0, { numOutputTokens: 1 });
    expect(check("tpot<=1, goodput>=100%", [single])[0]).toMatchObject({ value: 1, isMet: true });
  });

  it("takes a request that did not complete for late: at most as many may be as lie beyond the statistic", () => {
    const lost = record(1, 1, { status: "aborted" });
    const nine = Array.from({ length: 9 }, () => record(100, 10));
    expect(check("p90 ttft<=100", [...nine, lost])[0]).toMatchObject({ value: 100, isMet: true });
    expect(check("p95 ttft<=100", [...nine, lost])[0]).toMatchObject({ value: null, isMet: false });
    expect(check("mean ttft<=100", [...nine, lost])[0]?.isMet).toBe(false);
    expect(check("ttft<=100, goodput>=90%", [...nine, lost])[0]).toMatchObject({ value: 0.9, isMet: true });
    expect(check("p50 ttft<=100", [])[0]).toMatchObject({ value: null, isMet: false });
  });

  it("that is met stays met when a limit is loosened", () => {
    const records = fc.array(fc.tuple(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 1, max: 90 })), {
      minLength: 1,
    });
    const statistic = fc.constantFrom("mean ", "p50 ", "p90 ", "p99 ", "");
    fc.assert(
      fc.property(
        records,
        statistic,
        fc.integer({ min: 1, max: 900 }),
        fc.integer({ min: 0, max: 400 }),
        (times, of, ms, more) => {
          const all = times.map(([ttft, itl]) => record(ttft, itl));
          if (!check(`${of}ttft<=${ms}`, all).every(({ isMet }) => isMet)) return;
          expect(check(`${of}ttft<=${ms + more}`, all).every(({ isMet }) => isMet)).toBe(true);
        },
      ),
      { seed: 20261126 },
    );
  });
});
