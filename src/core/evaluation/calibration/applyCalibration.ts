import type { VllmVersion } from "../../config/vllmVersion.js";
import type { ServerConstants } from "../../engine/createServer.js";
import type { Calibration } from "./calibrationSchema.js";
import { BUILT_IN_START, constantsOf, startValues } from "./calibrationTerms.js";
import { RESIDUAL_TERMS, residualOf } from "./residualTerms.js";

/** The server that a calibration is to be used for. */
export interface CalibrationTarget {
  /** Ids as in the catalogues. */
  readonly model: string;
  readonly gpu: string;
  readonly tensorParallelSize: number;
  readonly vllmVersion: VllmVersion;
  readonly asyncScheduling: boolean;
  /** Whether the additive model prices the steps: time per step means nothing to another one. */
  readonly isAdditive: boolean;
}

/** Constants for a server, and what a reader should know of where they come from. */
export interface AppliedCalibration {
  readonly constants: ServerConstants;
  readonly notes: readonly string[];
}

/**
 * The parts of a calibration that hold for a server. Time per step is another thing with and without asynchronous
 * scheduling, and goes along with neither another mode nor another step model; a residual stays with the model, GPU and
 * parallelism it was seen on; the front end goes everywhere.
 */
export function applyCalibration(calibration: Calibration, target: CalibrationTarget): AppliedCalibration {
  const { terms, asyncScheduling } = calibration;
  const start = startValues(BUILT_IN_START, target.asyncScheduling);
  const isSameMode = asyncScheduling === target.asyncScheduling;
  const hasStep = isSameMode && target.isAdditive;
  const values = {
    ...start,
    frontEndUs: terms.frontEndUs.value,
    frontEndUsPerPromptToken: terms.frontEndUsPerPromptToken.value,
    ...(hasStep ? { stepUs: terms.stepUs.value, kernelGapUsPerLayer: terms.kernelGapUsPerLayer.value } : {}),
  };
  const constants = constantsOf(values, target.asyncScheduling);
  const isSameServer =
    calibration.model === target.model &&
    calibration.gpu === target.gpu &&
    calibration.tensorParallelSize === target.tensorParallelSize;
  const hasResidual = RESIDUAL_TERMS.some((term) => calibration.residual[term].kept);
  return {
    constants: {
      ...(target.isAdditive ? constants : { overheads: frontEndOf(constants) }),
      standardErrors: standardErrors(terms, hasStep),
      ...(hasResidual && isSameServer ? { residual: residualOf(calibration.residual) } : {}),
    },
    notes: notesOn(calibration, target, hasResidual && !isSameServer),
  };
}

/** Of the terms that the run told something about; of the others a reader knows no more than before. */
function standardErrors(terms: Calibration["terms"], hasStep: boolean): Record<string, number> {
  const known = Object.entries(terms).filter(
    ([name, { identifiable }]) => identifiable && (hasStep || name.startsWith("frontEnd")),
  );
  return Object.fromEntries(known.map(([name, { standardError }]) => [name, standardError]));
}

function frontEndOf({ overheads = {} }: ServerConstants): NonNullable<ServerConstants["overheads"]> {
  const { frontEndUs, frontEndUsPerPromptToken } = overheads;
  return {
    ...(frontEndUs === undefined ? {} : { frontEndUs }),
    ...(frontEndUsPerPromptToken === undefined ? {} : { frontEndUsPerPromptToken }),
  };
}

function notesOn(calibration: Calibration, target: CalibrationTarget, dropsResidual: boolean): string[] {
  const { name, source, date, simulatedVllmVersion, asyncScheduling, gpu } = calibration;
  const notes = [`calibrated with ${JSON.stringify(name)}, fitted on ${source}${date === null ? "" : ` of ${date}`}`];
  if (simulatedVllmVersion !== target.vllmVersion) {
    notes.push(
      `the calibration is of vLLM ${simulatedVllmVersion}, this server runs ${target.vllmVersion}: it may be stale; ` +
        "roofserve calibrate --check tells on a new run",
    );
  }
  if (gpu !== target.gpu) notes.push(`the calibration is of ${gpu}, this server runs on ${target.gpu}: it may not fit`);
  if (asyncScheduling !== target.asyncScheduling) {
    const mode = asyncScheduling ? "asynchronous" : "synchronous";
    notes.push(`the calibration is of ${mode} scheduling, this server's is not: its time per step is left out`);
  }
  if (!target.isAdditive) notes.push("the calibration is of the additive step model: only its front end is used");
  if (dropsResidual) notes.push("the calibration's residual belongs to another model, GPU or parallelism: left out");
  return notes;
}
