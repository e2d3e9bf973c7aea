import { describe, expect, test } from "vitest";
import { verdict } from "../../../src/cli/verdict.js";
import { runConfigSchema } from "../../../src/core/engine/runConfig.js";
import type { RunSummary } from "../../../src/core/engine/simulate.js";
import { distribution, EMPTY_DISTRIBUTION } from "../../../src/core/metrics/distribution.js";

/** A summary with what the verdict looks at. */
function summary(
  waitsMs: readonly number[],
  changes: { kind?: string; preemptions?: number; ttftMs?: number[]; regime?: Partial<RunSummary["regime"]> } = {},
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
    regime: { label: "below", closedLoop: false, utilisation: 0.2, seenErrors: null, ...changes.regime },
  } as unknown as RunSummary;
}

describe("verdict", () => {
  test("says what a user sees, and compares the speed with reading", () => {
    expect(verdict(summary([1, 2, 3]))).toContain("Half of the users see a first token within 50 ms");
    expect(verdict(summary([1, 2, 3]))).toContain("100 tokens/s, 15 times as fast as people read");
  });

  test.for([
    ["below", [1, 2, 3], "keeps up with this load: requests wait 2 ms"],
    ["below", [1, 2, 5000], "keeps up except in bursts"],
    ["near", [1, 2, 3], "close to its limit"],
    ["past", [1, 2, 3], "overloaded"],
  ] as const)("%s saturation, with waits of %j ms: the server %s", ([label, waits, expected]) => {
    expect(verdict(summary(waits, { regime: { label } }))).toContain(expected);
  });

  test("proposes what can be changed", () => {
    const past = { regime: { label: "past" as const } };
    expect(verdict(summary([2000], past))).toContain("Try a lower --rate");
    expect(verdict(summary([2000], { ...past, kind: "trace" }))).toContain("Try a --time-scale above 1");
    expect(verdict(summary([2000], { ...past, preemptions: 7 }))).toContain("The KV cache was full: 7 preemptions");
  });

  test("says how far to trust the numbers: the regime, and the errors seen there", () => {
    const seenErrors = { numRuns: 7, e2eMeanApe: 1.1, e2eMeanApeMax: 2.6, ttftMeanApe: 4.2, itlMeanApe: 0.8 };
    expect(verdict(summary([1], { regime: { seenErrors } }))).toContain(
      "Below saturation (load share 20 %), where 1 % of step time is about 1.3 % of latency: 7 measured runs erred by 1.1 % end to end (worst 2.6 %), TTFT 4.2 %.",
    );
    expect(verdict(summary([1], { regime: { label: "past" } }))).toContain("no measured run to compare with");
    expect(verdict(summary([1], { regime: { label: "past", closedLoop: true } }))).toContain("In a closed loop");
  });

  test("a backlog that was asked for is no overload", () => {
    expect(verdict(summary([2000, 2000, 2000], { kind: "throughput" }))).toContain("All requests were sent at once");
  });

  test("without a completed request there is nothing to judge", () => {
    expect(verdict(summary([], { ttftMs: [] }))).toContain("nothing to judge");
  });
});
