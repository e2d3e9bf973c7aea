import { describe, expect, it } from "vitest";
import { slowestRequests } from "../../../../../src/core/analysis/digest/slowestRequests.js";
import type { RequestRecord } from "../../../../../src/core/metrics/requestRecord.js";

function record(id: string, over: Partial<RequestRecord> = {}): RequestRecord {
  return {
    id,
    sessionId: null,
    status: "completed",
    reason: null,
    arrivalUs: 1000,
    firstScheduledUs: 3000,
    firstTokenUs: 6000,
    lastTokenUs: 11_000,
    queueUs: 2000,
    numPromptTokens: 10,
    numCachedTokens: 0,
    numOutputTokens: 5,
    numPreemptions: 0,
    ...over,
  };
}

const spansOf = (preempted: number[]) =>
  slowestRequests([record("a")], new Map([["a", preempted]])).toFinish[0]!.spans.map(
    ({ phase, startMs, endMs }) => `${phase} ${startMs}–${endMs}`,
  );

describe("the slowest requests", () => {
  it("come slowest first, by each latency, of equal ones the first; what was not completed is left out", () => {
    const records = [
      record("quick", { lastTokenUs: 7000 }),
      record("long", { lastTokenUs: 90_000 }),
      record("late", { firstTokenUs: 9000 }),
      record("late too", { firstTokenUs: 9000 }),
      record("given up", { status: "aborted", lastTokenUs: 999_000 }),
    ];
    const { toFinish, toFirstToken } = slowestRequests(records, new Map(), 2);
    expect(toFinish.map(({ id }) => id)).toEqual(["long", "late"]);
    expect(toFirstToken.map(({ id }) => id)).toEqual(["late", "late too"]);
  });

  it("wait, are prefilled and decode", () => {
    expect(spansOf([])).toEqual(["queue 0–2", "prefill 2–5", "decode 5–10"]);
  });

  it("are interrupted where they were preempted, in whichever phase", () => {
    expect(spansOf([7000, 8000])).toEqual(["queue 0–2", "prefill 2–5", "decode 5–6", "preempted 6–7", "decode 7–10"]);
    expect(spansOf([5000, 8000])).toEqual([
      "queue 0–2",
      "prefill 2–4",
      "preempted 4–5",
      "preempted 5–7",
      "decode 7–10",
    ]);
    expect(spansOf([10_000])).toEqual(["queue 0–2", "prefill 2–5", "decode 5–9", "preempted 9–10"]);
  });
});
