import { describe, expect, it } from "vitest";
import { RecordColumns } from "../../../../src/core/metrics/recordColumns.js";
import { simulatedRun } from "../../io/results/simulatedRun.js";

describe("the columns of a run's records", () => {
  it("hold the records' own numbers, however many there are", () => {
    const { records } = simulatedRun(10_000, 3);
    const columns = RecordColumns.of(records);
    expect(columns).toHaveLength(records.length);
    records.forEach((record, i) => {
      const { id: _id, sessionId: _session, reason: _reason, ...numbers } = record;
      const { numPromptTokens: _prompt, numCachedTokens: _cached, numPreemptions: _times, ...kept } = numbers;
      expect(columns.at(i)).toEqual(kept);
    });
  });

  it("count outcomes, and tokens of those that completed", () => {
    const { records } = simulatedRun(500, 5);
    const { counts, numPromptTokens, numCachedTokens, numOutputTokens } = RecordColumns.of(records);
    const { submitted, ...outcomes } = counts;
    expect(submitted).toBe(500);
    for (const [status, count] of Object.entries(outcomes)) {
      expect(count).toBeGreaterThan(0);
      expect(count).toBe(records.filter((record) => record.status === status).length);
    }
    const completed = records.filter(({ status }) => status === "completed");
    const sum = (key: "numPromptTokens" | "numCachedTokens" | "numOutputTokens") =>
      completed.reduce((total, record) => total + record[key], 0);
    expect([numPromptTokens, numCachedTokens, numOutputTokens]).toEqual([
      sum("numPromptTokens"),
      sum("numCachedTokens"),
      sum("numOutputTokens"),
    ]);
  });

  it("span from the first arrival to the last arrival or token, and nothing when empty", () => {
    expect(new RecordColumns().spanUs).toBe(0);
    const [first] = simulatedRun(1, 1).records;
    const served = { ...first!, arrivalUs: 1e6, lastTokenUs: 3e6 };
    const rejected = { ...first!, arrivalUs: 9e6, firstTokenUs: Number.NaN, lastTokenUs: Number.NaN };
    expect(RecordColumns.of([served]).spanUs).toBe(2e6);
    expect(RecordColumns.of([served, rejected]).spanUs).toBe(8e6);
    expect(RecordColumns.of([rejected]).spanUs).toBe(0);
  });
});
