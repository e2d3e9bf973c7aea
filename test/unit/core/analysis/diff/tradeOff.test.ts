import { describe, expect, it } from "vitest";
import type { MetricChange } from "../../../../../src/core/analysis/diff/metricChange.js";
import type { PairedChange } from "../../../../../src/core/analysis/diff/pairedChange.js";
import type { SeedChange } from "../../../../../src/core/analysis/diff/seedChange.js";
import { tradeOff } from "../../../../../src/core/analysis/diff/tradeOff.js";
import type { Verdict } from "../../../../../src/core/analysis/diff/verdict.js";

function moved(name: string, relative: number, better: MetricChange["better"] = "lower"): MetricChange {
  return { name, group: "service", better, a: 100, b: 100 * (1 + relative), change: 100 * relative, relative };
}

const METRICS = [
  moved("ttftMs.mean", -0.3),
  moved("ttftMs.p90", -0.5),
  moved("ttftMs.p99", -0.4),
  moved("itlMs.mean", 0.01),
  moved("itlMs.p99", 0.25),
  moved("throughput.outputTokensPerS", -0.1, "higher"),
  moved("requests.submitted", 0.5, null),
];
const names = (metrics: readonly MetricChange[]) => metrics.map(({ name }) => name);

describe("a trade-off", () => {
  it("names both sides, the largest change first, without percentiles that say the same again", () => {
    const { better, worse } = tradeOff({ metrics: METRICS, overSeeds: null, paired: null });
    expect(names(better)).toEqual(["ttftMs.p99", "ttftMs.mean"]);
    expect(names(worse)).toEqual(["itlMs.p99", "throughput.outputTokensPerS"]);
  });

  it("leaves out what paired requests call chance", () => {
    const paired = { latencies: [{ latency: "ttftMs", verdict: "chance" }] } as unknown as PairedChange;
    expect(names(tradeOff({ metrics: METRICS, overSeeds: null, paired }).better)).toEqual(["ttftMs.p99"]);
  });

  it("goes by the seeds where there are several: what they know counts, however it looked in one run", () => {
    const known = (name: string, relative: number, verdict: Verdict) => ({
      ...moved(name, relative),
      interval: null,
      verdict,
    });
    const overSeeds = {
      metrics: [known("itlMs.mean", 0.01, "change"), known("ttftMs.p99", -0.4, "chance")],
    } as unknown as SeedChange;
    const { better, worse } = tradeOff({ metrics: METRICS, overSeeds, paired: null });
    expect([names(better), names(worse)]).toEqual([[], ["itlMs.mean"]]);
  });
});
