import { describe, expect, it } from "vitest";
import { ServedTokens } from "../../../../../src/core/analysis/plan/servedTokens.js";
import type { RequestRecord } from "../../../../../src/core/metrics/requestRecord.js";

function record(numPromptTokens: number, status: RequestRecord["status"] = "completed"): RequestRecord {
  return { status, numPromptTokens, numOutputTokens: 10 } as RequestRecord;
}

describe("the mean request of a run", () => {
  it("is that of its later half, over all that were submitted in it", () => {
    const tokens = new ServedTokens(5);
    for (const one of [record(1), record(1), record(100), record(200), record(999, "aborted")]) tokens.add(one);
    expect(tokens.mean()).toEqual({ completedFraction: 2 / 3, promptTokens: 100, outputTokens: 20 / 3 });
  });

  it("is nothing where nothing was submitted", () => {
    expect(new ServedTokens(4).mean()).toEqual({ completedFraction: 0, promptTokens: 0, outputTokens: 0 });
  });
});
