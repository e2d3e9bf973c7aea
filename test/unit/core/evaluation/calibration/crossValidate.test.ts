import { describe, expect, it } from "vitest";
import { BUILT_IN_START, NEUTRAL_START } from "../../../../../src/core/evaluation/calibration/calibrationTerms.js";
import { crossValidate } from "../../../../../src/core/evaluation/calibration/crossValidate.js";
import { plantedExperiment } from "../../../../reference/plantedExperiment.js";

const planted = { frontEndUs: 9000, kernelGapUsPerLayer: 22 };
const small = { numRequests: 200, outputTokens: 40 };
const cases = [
  plantedExperiment({ ...small, name: "8b", planted, seed: 1 }),
  plantedExperiment({ ...small, name: "8b again", planted, seed: 2 }),
  plantedExperiment({ ...small, name: "14b", model: "Qwen/Qwen3-14B", planted, seed: 3 }),
  plantedExperiment({ ...small, name: "old", vllmVersion: "0.11.0", planted, seed: 4 }),
];
const result = crossValidate(cases, { start: BUILT_IN_START, seed: 42 });
const ofModel = (name: string) => result.leaveOneModelOut.filter(({ before }) => before.model === name);

describe("leaving one model out", () => {
  it("predicts every model from the others, never from itself", () => {
    expect(result.leaveOneModelOut.map(({ before }) => before.name).sort()).toEqual(["14b", "8b", "8b again"]);
    for (const { calibratedOn, after } of result.leaveOneModelOut) expect(calibratedOn).not.toContain(after.model);
  });

  it("carries what servers have in common over to the other model", () => {
    for (const { before, after } of [...ofModel("Qwen/Qwen3-14B"), ...ofModel("meta-llama/Llama-3.1-8B")]) {
      expect(after.metrics.ttftMs.mean.ape!).toBeLessThan(0.5 * before.metrics.ttftMs.mean.ape!);
      expect(after.metrics.e2eMs.mean.ape!).toBeLessThan(0.5 * before.metrics.e2eMs.mean.ape!);
    }
  });
});

describe("calibrating on one other run", () => {
  it("takes every ordered pair of servers that schedule alike", () => {
    const pairs = result.oneOtherRun.map(({ calibratedOn, before }) => `${calibratedOn} → ${before.name}`);
    expect(pairs.sort()).toEqual(
      ["14b → 8b", "14b → 8b again", "8b again → 14b", "8b again → 8b", "8b → 14b", "8b → 8b again"].sort(),
    );
  });

  it("stays with the start where the calibration is refused, and says so", () => {
    const short = plantedExperiment({ numRequests: 60, name: "short" });
    const [pair] = crossValidate([short, cases[2]!], { start: BUILT_IN_START, seed: 42 }).oneOtherRun;
    expect(pair!.refused).toContain("60 usable requests");
    expect(pair!.after).toEqual(pair!.before);
  });
});

describe("one server", () => {
  it("is predicted from its other runs, where it has several", () => {
    const [first, second] = cases as [(typeof cases)[number], (typeof cases)[number]];
    const server = { ...first, name: "server", runs: [...first.runs, ...second.runs] };
    const { sameServer } = crossValidate([server], { start: BUILT_IN_START, seed: 42 });
    expect(sameServer.map(({ before }) => before.name)).toEqual(["8b", "8b again"]);
    for (const { calibratedOn, before, after } of sameServer) {
      expect(calibratedOn).toBe("the other runs of server");
      expect(after.metrics.ttftMs.mean.ape!).toBeLessThan(before.metrics.ttftMs.mean.ape!);
    }
    expect(result.sameServer).toEqual([]);
  });
});

describe("a neutral start", () => {
  it("knows no constants, and learns them from other models", () => {
    const { start, leaveOneModelOut } = crossValidate(cases.slice(1, 3), { start: NEUTRAL_START, seed: 42 });
    expect(start).toBe("neutral");
    for (const { before, after } of leaveOneModelOut) {
      expect(before.metrics.ttftMs.mean.ape!).toBeGreaterThan(20);
      expect(after.metrics.ttftMs.mean.ape!).toBeLessThan(10);
    }
  });
});
