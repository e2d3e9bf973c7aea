import { describe, expect, it } from "vitest";
import {
  applyCalibration,
  type CalibrationTarget,
} from "../../../../../src/core/evaluation/calibration/applyCalibration.js";
import type { Calibration } from "../../../../../src/core/evaluation/calibration/calibrationSchema.js";
import { serverOverheads } from "../../../../../src/core/stepmodel/serverOverheads.js";
import { DEFAULT_WAITS } from "../../../../../src/core/stepmodel/stepWaits.js";
import { someCalibration } from "../../../../reference/someCalibration.js";

const calibration = someCalibration();
const target: CalibrationTarget = {
  model: calibration.model,
  gpu: "H100",
  tensorParallelSize: 1,
  vllmVersion: "0.15",
  asyncScheduling: true,
  isAdditive: true,
};
const residual = { usPerOutputToken: 0, usPerPromptToken: 0, usPerRequest: 2000 };
const withResidual = (): Calibration => {
  const kept = { ...calibration.residual.usPerRequest, value: residual.usPerRequest, kept: true, reason: null };
  return { ...calibration, residual: { ...calibration.residual, usPerRequest: kept } };
};

type Term = Calibration["terms"]["stepUs"];
const agreeing = (term: Term): Term => ({ ...term, value: term.start, status: "agrees" });

describe("a calibration on the server it was made of", () => {
  it("sets the front end and the time per step, and says whose it is", () => {
    const { constants, provenance, doubts, leftOut } = applyCalibration(calibration, target);
    expect(constants.overheads).toMatchObject({ frontEndUs: 9000, frontEndUsPerPromptToken: 2 });
    expect(constants.waits).toMatchObject({ fixedUs: 600, kernelGapUsPerLayer: 9 });
    expect(provenance).toBe('calibrated with "mine", fitted on my run of 2026-01-20');
    expect([...doubts, ...leftOut]).toEqual([]);
  });

  it("brings its residual", () => {
    expect(applyCalibration(withResidual(), target).constants.residual).toEqual(residual);
  });
});

describe("a calibration on another server", () => {
  it("leaves the time per step behind where scheduling differs", () => {
    const { constants, doubts, leftOut } = applyCalibration(calibration, { ...target, asyncScheduling: false });
    const { scheduleUs, updateUs } = serverOverheads(false);
    expect(constants.overheads).toMatchObject({ frontEndUs: 9000, scheduleUs, updateUs });
    expect(constants.waits).toEqual(DEFAULT_WAITS);
    expect(leftOut.join("\n")).toContain("of asynchronous scheduling, this server's is not: its time per step is left");
    expect(doubts).toEqual([]);
  });

  it("leaves nothing behind where the calibration had moved no time per step", () => {
    const { stepUs, kernelGapUsPerLayer, ...frontEnd } = calibration.terms;
    const kept = { stepUs: agreeing(stepUs), kernelGapUsPerLayer: agreeing(kernelGapUsPerLayer) };
    const unmoved = { ...calibration, terms: { ...frontEnd, ...kept } };
    const { doubts, leftOut } = applyCalibration(unmoved, { ...target, asyncScheduling: false });
    expect(leftOut).toEqual([]);
    expect(doubts.join("\n")).toContain("of asynchronous scheduling, this server's is not");
  });

  it("warns of another vLLM version and another GPU", () => {
    const { doubts } = applyCalibration(calibration, { ...target, vllmVersion: "0.18", gpu: "L40S" });
    expect(doubts.join("\n")).toMatch(/of vLLM 0\.15\.1, here 0\.18 is simulated/);
    expect(doubts.join("\n")).toMatch(/of H100, this server runs on L40S/);
  });

  it("keeps it in mind where the version was only assumed", () => {
    const { doubts } = applyCalibration({ ...calibration, vllmVersion: null }, { ...target, vllmVersion: "0.18" });
    expect(doubts).toEqual(["the calibration is of vLLM 0.15 (assumed), here 0.18 is simulated"]);
  });

  it.each<Partial<CalibrationTarget>>([{ model: "other" }, { gpu: "L40S" }, { tensorParallelSize: 2 }])(
    "leaves its residual behind: %o",
    (other) => {
      const { constants, leftOut } = applyCalibration(withResidual(), { ...target, ...other });
      expect(constants.residual).toBeUndefined();
      expect(leftOut.join("\n")).toContain("residual belongs to another");
    },
  );

  it("gives a baseline step model the front end and nothing else", () => {
    const { constants, leftOut } = applyCalibration(withResidual(), { ...target, isAdditive: false });
    expect(constants.residual).toBeUndefined();
    expect(constants.overheads).toEqual({ frontEndUs: 9000, frontEndUsPerPromptToken: 2 });
    expect(constants.waits).toBeUndefined();
    expect(Object.keys(constants.standardErrors ?? {})).toEqual(["frontEndUs", "frontEndUsPerPromptToken"]);
    expect(leftOut.join("\n")).toContain("only its front end");
  });
});

describe("what is not known of a constant", () => {
  it("is its standard error, and for a term left at its start the way to where the run puts it", () => {
    const frontEndUs = { ...agreeing(calibration.terms.frontEndUs), fitted: 4800, standardError: 400 };
    const { constants } = applyCalibration({ ...calibration, terms: { ...calibration.terms, frontEndUs } }, target);
    expect(constants.standardErrors).toMatchObject({ frontEndUs: 500, stepUs: 100 });
  });
});

describe("a synchronous calibration", () => {
  it("never makes CPU time negative", () => {
    const stepUs = { ...calibration.terms.stepUs, value: -1e6 };
    const sync = { ...calibration, asyncScheduling: false, terms: { ...calibration.terms, stepUs } };
    const { overheads } = applyCalibration(sync, { ...target, asyncScheduling: false }).constants;
    expect(overheads).toMatchObject({ scheduleUs: 0, updateUs: 0 });
  });
});
