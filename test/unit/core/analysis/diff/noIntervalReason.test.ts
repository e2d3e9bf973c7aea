import { describe, expect, it } from "vitest";
import type { ComparedRun } from "../../../../../src/core/analysis/diff/comparedRun.js";
import { noIntervalReason } from "../../../../../src/core/analysis/diff/noIntervalReason.js";
import type { RequestPair } from "../../../../../src/core/analysis/diff/pairRequests.js";

/** A run whose clients send for 100 s. */
function run({ e2eS = 1, utilisation = 0.1, limitedFraction = 0, kind = "lengths" } = {}): ComparedRun {
  const config = { workload: { data: { kind } } };
  const summary = { e2eMs: { mean: 1000 * e2eS }, regime: { utilisation, limitedFraction }, config };
  return { name: "run", summary, requests: null, steps: null } as unknown as ComparedRun;
}

const pairs = [0, 40e6, 100e6].map((arrivalUs) => ({ arrivalUs }) as RequestPair);

describe("why one run gives no interval", () => {
  it("gives none where the load is light and the run long", () => {
    expect(noIntervalReason(run(), run(), pairs)).toBeNull();
  });

  it("looks at both sides, whichever is A", () => {
    for (const bad of [run({ limitedFraction: 0.02 }), run({ e2eS: 4 }), run({ utilisation: 0.6 })]) {
      expect(noIntervalReason(run(), bad, pairs)).not.toBeNull();
      expect(noIntervalReason(bad, run(), pairs)).toBe(noIntervalReason(run(), bad, pairs));
    }
  });

  it("says how long a run would have to be: thirty latencies, more under load", () => {
    expect(noIntervalReason(run(), run({ e2eS: 10, utilisation: 0 }), pairs)).toContain("3 times as long");
    expect(noIntervalReason(run(), run({ e2eS: 10, utilisation: 0.5 }), pairs)).toContain("12 times as long");
    expect(noIntervalReason(run(), run({ utilisation: 1 }), pairs)).toContain("would have to be longer");
    expect(noIntervalReason(run(), run(), [])).toContain("would have to be longer");
  });

  it("names the way out, which a trace has not", () => {
    expect(noIntervalReason(run(), run({ limitedFraction: 1 }), pairs)).toContain("--seeds 10");
    const trace = run({ kind: "trace", limitedFraction: 1 });
    expect(noIntervalReason(trace, trace, pairs)).not.toContain("--seeds");
  });
});
