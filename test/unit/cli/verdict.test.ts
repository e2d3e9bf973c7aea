import { describe, expect, test } from "vitest";
import { verdict } from "../../../src/cli/verdict.js";
import { runConfigSchema } from "../../../src/core/engine/runConfig.js";
import type { RunSummary } from "../../../src/core/engine/simulate.js";
import { distribution, EMPTY_DISTRIBUTION } from "../../../src/core/metrics/distribution.js";

/** A summary with what the verdict looks at. */
function summary(
  waitsMs: readonly number[],
  changes: { kind?: string; preemptions?: number; ttftMs?: number[] } = {},
): RunSummary {
  const data = { kind: "synthetic", promptTokens: 10, outputTokens: 10 };
  const profile = { kind: changes.kind ?? "poisson", ...(changes.kind === undefined ? { rate: 1 } : {}) };
  return {
    config: runConfigSchema.parse({ workload: { profile, data } }),
    requests: { submitted: 3, completed: 3, rejected: 0, aborted: 0, unfinished: 0 },
    ttftMs: changes.ttftMs?.length === 0 ? EMPTY_DISTRIBUTION : distribution([40, 50, 60]),
    tpotMs: distribution([10, 10, 10]),
    queueMs: distribution(waitsMs),
    engine: { preemptions: changes.preemptions ?? 0 },
  } as unknown as RunSummary;
}

describe("verdict", () => {
  test("says what a user sees, and compares the speed with reading", () => {
    expect(verdict(summary([1, 2, 3]))).toContain("Half of the users see a first token within 50 ms");
    expect(verdict(summary([1, 2, 3]))).toContain("100 tokens/s, 15 times as fast as people read");
  });

  test.for([
    [[1, 2, 3], "keeps up with this load: requests wait 2 ms"],
    [[1, 2, 5000], "keeps up except in bursts"],
    [[1500, 2000, 5000], "overloaded"],
  ] as const)("waits of %j ms mean: the server %s", ([waits, expected]) => {
    expect(verdict(summary(waits))).toContain(expected);
  });

  test("proposes what can be changed", () => {
    expect(verdict(summary([2000, 2000, 2000]))).toContain("Try a lower --rate");
    expect(verdict(summary([2000, 2000, 2000], { kind: "trace" }))).toContain("Try a --time-scale above 1");
    expect(verdict(summary([2000, 2000, 2000], { preemptions: 7 }))).toContain("The KV cache was full: 7 preemptions");
  });

  test("a backlog that was asked for is no overload", () => {
    expect(verdict(summary([2000, 2000, 2000], { kind: "throughput" }))).toContain("All requests were sent at once");
  });

  test("without a completed request there is nothing to judge", () => {
    expect(verdict(summary([], { ttftMs: [] }))).toContain("nothing to judge");
  });
});
