import { describe, expect, it } from "vitest";
import type { ComparedNumbers } from "../../../../../src/core/analysis/diff/comparedRun.js";
import { type SeedChange, seedChange } from "../../../../../src/core/analysis/diff/seedChange.js";
import { simulate } from "../../../../../src/core/engine/simulate.js";
import { tInterval } from "../../../../../src/core/metrics/tInterval.js";
import { loadDeployment } from "../../../../../src/io/loadDeployment.js";
import { smallConfig } from "../sweep/smallSweep.js";

const SEEDS = [1, 2, 3, 4];

function runs(engine: object): ComparedNumbers[] {
  const config = smallConfig({ kind: "poisson", rate: 40 }, { engine });
  return SEEDS.map((seed) => simulate(loadDeployment(config), { ...config, seed }).summary);
}

const [base, oneAtATime] = [runs({}), runs({ maxNumSeqs: 1 })];
const metric = ({ metrics }: SeedChange, name: string) => metrics.find((one) => one.name === name);
const e2eOf = (run: ComparedNumbers) => run.e2eMs.mean ?? Number.NaN;

/** A run with another mean end-to-end latency. */
const withE2e = (run: ComparedNumbers, mean: number | null): ComparedNumbers => ({
  ...run,
  e2eMs: { ...run.e2eMs, mean },
});

describe("a change over seeds", () => {
  it("is the mean of the seeds' own changes, with Student's interval of these", () => {
    const change = metric(seedChange(SEEDS, base, oneAtATime), "e2eMs.mean");
    const changes = base.map((run, i) => e2eOf(oneAtATime[i] as ComparedNumbers) - e2eOf(run));
    const { low, high } = tInterval(changes) ?? { low: Number.NaN, high: Number.NaN };
    expect(change?.interval).toEqual({ low, high });
    expect(change?.change).toBeCloseTo((low + high) / 2, 9);
    expect(change?.verdict).toBe("change");
  });

  it("has the other sign when the sides change places, and is none between equals", () => {
    const [forth, back] = [seedChange(SEEDS, base, oneAtATime), seedChange(SEEDS, oneAtATime, base)];
    for (const { name, change, interval } of forth.metrics) {
      expect(metric(back, name)?.change ?? 0, name).toBeCloseTo(-(change ?? 0), 6);
      expect(metric(back, name)?.interval?.low ?? 0, name).toBeCloseTo(-(interval?.high ?? 0), 6);
    }
    const same = seedChange(SEEDS, base, base);
    expect(same.metrics.filter(({ a }) => a !== null).map(({ verdict }) => verdict)).not.toContain("change");
    expect(metric(same, "e2eMs.mean")).toMatchObject({ change: 0, verdict: "none" });
  });

  it("is chance where seeds disagree about its sign, though their mean is none of 0", () => {
    const jumping = base.map((run, i) => withE2e(run, e2eOf(run) + (i % 2 === 0 ? 10 : -8)));
    expect(metric(seedChange(SEEDS, base, jumping), "e2eMs.mean")?.verdict).toBe("chance");
  });

  it("leaves out the seeds in which one side has no such number, on both sides", () => {
    const lacking = base.map((run, i) => withE2e(run, i === 0 ? null : e2eOf(run) + 5));
    const change = metric(seedChange(SEEDS, base, lacking), "e2eMs.mean");
    expect(change?.change).toBeCloseTo(5, 9);
    expect(change?.a).toBeCloseTo(base.slice(1).reduce((sum, run) => sum + e2eOf(run), 0) / 3, 9);
    const alone = base.map((run, i) => withE2e(run, i === 0 ? e2eOf(run) + 5 : null));
    expect(metric(seedChange(SEEDS, base, alone), "e2eMs.mean")).toMatchObject({ interval: null, verdict: "unknown" });
  });
});
