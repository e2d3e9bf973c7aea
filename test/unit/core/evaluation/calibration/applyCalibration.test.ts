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

describe("a calibration on the server it was made of", () => {
  it("sets the front end and the time per step, and says whose it is", () => {
    const { constants, notes } = applyCalibration(calibration, target);
    expect(constants.overheads).toMatchObject({ frontEndUs: 9000, frontEndUsPerPromptToken: 2 });
    expect(constants.waits).toMatchObject({ fixedUs: 600, kernelGapUsPerLayer: 9 });
    expect(notes).toEqual(['calibrated with "mine", fitted on my run of 2026-01-20']);
  });

  it("brings its residual", () => {
    expect(applyCalibration(withResidual(), target).constants.residual).toEqual(residual);
  });
});

describe("a calibration on another server", () => {
  it("leaves the time per step behind where scheduling differs", () => {
    const { constants, notes } = applyCalibration(calibration, { ...target, asyncScheduling: false });
    const { scheduleUs, updateUs } = serverOverheads(false);
    expect(constants.overheads).toMatchObject({ frontEndUs: 9000, scheduleUs, updateUs });
    expect(constants.waits).toEqual(DEFAULT_WAITS);
    expect(notes.join("\n")).toContain("of asynchronous scheduling, this server's is not");
  });

  it("warns of another vLLM version and another GPU", () => {
    const { notes } = applyCalibration(calibration, { ...target, vllmVersion: "0.18", gpu: "L40S" });
    expect(notes.join("\n")).toMatch(/of vLLM 0\.15, this server runs 0\.18: it may be stale/);
    expect(notes.join("\n")).toMatch(/of H100, this server runs on L40S/);
  });

  it.each<Partial<CalibrationTarget>>([{ model: "other" }, { gpu: "L40S" }, { tensorParallelSize: 2 }])(
    "leaves its residual behind: %o",
    (other) => {
      const { constants, notes } = applyCalibration(withResidual(), { ...target, ...other });
      expect(constants.residual).toBeUndefined();
      expect(notes.join("\n")).toContain("residual belongs to another");
    },
  );

  it("gives a baseline step model the front end and nothing else", () => {
    const { constants, notes } = applyCalibration(calibration, { ...target, isAdditive: false });
    expect(constants.overheads).toEqual({ frontEndUs: 9000, frontEndUsPerPromptToken: 2 });
    expect(constants.waits).toBeUndefined();
    expect(Object.keys(constants.standardErrors ?? {})).toEqual(["frontEndUs", "frontEndUsPerPromptToken"]);
    expect(notes.join("\n")).toContain("only its front end");
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
