import { describe, expect, it } from "vitest";
import { BoundTimes, boundShares } from "../../../../../src/core/analysis/digest/boundTimes.js";
import { StepLogExplainer } from "../../../../../src/core/analysis/stepLogExplainer.js";
import { StepLogger } from "../../../../../src/core/analysis/stepLogger.js";
import { parseConfig } from "../../../../../src/core/config/parseConfig.js";
import { runConfigSchema } from "../../../../../src/core/engine/runConfig.js";
import type { StepObserver } from "../../../../../src/core/engine/runResult.js";
import { simulate } from "../../../../../src/core/engine/simulate.js";
import { loadDeployment } from "../../../../../src/io/loadDeployment.js";
import { BUSY } from "../loggedRun.js";

/** Bound shares as sampled, and as every step taken apart has them. */
function bothShares(input: object) {
  const config = parseConfig(runConfigSchema, input, "");
  let times: BoundTimes | null = null;
  let logger: StepLogger | null = null;
  let explainer: StepLogExplainer | null = null;
  const observer: StepObserver = {
    onStart(server, resolved) {
      times = new BoundTimes(server.stepModel);
      logger = new StepLogger(server, resolved);
      explainer = new StepLogExplainer(logger.header);
    },
    onStep(step, startUs, endUs, scheduler) {
      times!.onStep(step.batch);
      explainer!.add(logger!.log(step, startUs, endUs, scheduler));
    },
  };
  const { summary } = simulate(loadDeployment(config), config, { observer });
  const sampled = boundShares(times!.times(summary.bottleneck, 1e6));
  const exact = new Map(explainer!.report().bounds.map(({ bound, fraction }) => [bound, fraction]));
  return { sampled, exact, steps: summary.engine.steps };
}

describe("what binds the components of a run", () => {
  it("is what its step log says, where every step is taken apart", () => {
    const { sampled, exact } = bothShares(BUSY);
    expect(sampled).toHaveLength(exact.size);
    for (const { bound, fraction } of sampled) expect(fraction, bound).toBeCloseTo(exact.get(bound)!, 4);
  });

  it("is nearly so of a long run, of which few are", () => {
    const engine = { ...BUSY.engine, numGpuBlocksOverride: null };
    const workload = { ...BUSY.workload, profile: { kind: "poisson", rate: 6 }, maxRequests: 1500 };
    const { sampled, exact, steps } = bothShares({ ...BUSY, engine, workload });
    expect(steps).toBeGreaterThan(4 * 2048);
    for (const { bound, fraction } of sampled) expect(Math.abs(fraction - exact.get(bound)!), bound).toBeLessThan(0.01);
  });
});
