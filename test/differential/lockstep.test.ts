import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lockstepRun, runFast, runPlain } from "./lockstepRuns.js";

const SEED = 20261126;

describe("the engine with its lockstep", () => {
  it("does what the plain engine does, step for step and to the last bit", () => {
    let numTokens = 0;
    let numLockstepTokens = 0;
    let numMixedSteps = 0;
    let numPreemptingSteps = 0;
    let numPreemptions = 0;
    let numAborted = 0;
    fc.assert(
      fc.property(lockstepRun, (run) => {
        const plain = runPlain(run);
        const fast = runFast(run);
        expect(fast.steps).toEqual(plain.steps);
        expect(fast.records).toEqual(plain.records);
        expect(fast.stats).toEqual(plain.stats);
        // What a class keeps for itself `toEqual` does not see.
        expect(fast.stats.gapsUs.bins()).toEqual(plain.stats.gapsUs.bins());
        numTokens += plain.steps.reduce((sum, step) => sum + step.numSampled, 0);
        numLockstepTokens += fast.numLockstepTokens;
        numMixedSteps += fast.numMixedSteps;
        numPreemptingSteps += fast.numPreemptingSteps;
        numPreemptions += fast.stats.preemptions;
        numAborted += fast.records.filter(({ status }) => status === "aborted").length;
      }),
      { seed: SEED, numRuns: Number(process.env.LOCKSTEP_RUNS ?? 2000) },
    );
    // The campaign reached what it is for.
    expect(numLockstepTokens / numTokens).toBeGreaterThan(0.5);
    for (const count of [numMixedSteps, numPreemptingSteps, numPreemptions, numAborted]) {
      expect(count).toBeGreaterThan(200);
    }
  }, 1_200_000);
});
