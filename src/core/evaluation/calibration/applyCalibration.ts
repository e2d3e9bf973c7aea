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
  /** Which calibration of which run. */
  readonly provenance: string;
  /** How the server differs from the calibrated one though everything is used, each a sentence: it may not hold. */
  readonly doubts: readonly string[];
  /** What the calibration moved but this server cannot use, each with the reason. */
  readonly leftOut: readonly string[];
}

/** The vLLM that a calibration is of, with a mark where its run did not say. */
export function calibratedVersion({ vllmVersion, simulatedVllmVersion }: Calibration): string {
  return `vLLM ${vllmVersion ?? `${simulatedVllmVersion} (assumed)`}`;
}

/**
 * The parts of a calibration that hold for a server. Time per step is another thing with and without asynchronous
 * scheduling, and goes along with neither another mode nor another step model; a residual stays with the model, GPU,
 * parallelism and step model it was seen on; the front end goes everywhere.
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
    calibration.tensorParallelSize === target.tensorParallelSize &&
    target.isAdditive;
  const hasResidual = RESIDUAL_TERMS.some((term) => calibration.residual[term].kept);
  return {
    constants: {
      ...(target.isAdditive ? constants : { overheads: frontEndOf(constants) }),
      standardErrors: standardErrors(terms, hasStep),
      ...(hasResidual && isSameServer ? { residual: residualOf(calibration.residual) } : {}),
    },
    provenance: `calibrated with ${JSON.stringify(calibration.name)}, fitted on ${calibration.source}${dateWords(calibration)}`,
    ...differences(calibration, target, hasResidual && !isSameServer),
  };
}

/**
 * How far each constant may lie from the value used, where the run told something about it; of the others a reader knows
 * no more than before. A term that was left at its start is off by the distance to where the run puts it, too.
 */
function standardErrors(terms: Calibration["terms"], hasStep: boolean): Record<string, number> {
  const known = Object.entries(terms).filter(
    ([name, { identifiable }]) => identifiable && (hasStep || name.startsWith("frontEnd")),
  );
  return Object.fromEntries(
    known.map(([name, { value, fitted, standardError }]) => [name, Math.hypot(standardError, fitted - value)]),
  );
}

function frontEndOf({ overheads = {} }: ServerConstants): NonNullable<ServerConstants["overheads"]> {
  const { frontEndUs, frontEndUsPerPromptToken } = overheads;
  return {
    ...(frontEndUs === undefined ? {} : { frontEndUs }),
    ...(frontEndUsPerPromptToken === undefined ? {} : { frontEndUsPerPromptToken }),
  };
}

function dateWords({ date }: Calibration): string {
  return date === null ? "" : ` of ${date}`;
}

function differences(
  calibration: Calibration,
  target: CalibrationTarget,
  dropsResidual: boolean,
): Pick<AppliedCalibration, "doubts" | "leftOut"> {
  const { simulatedVllmVersion, asyncScheduling, gpu, terms } = calibration;
  const doubts: string[] = [];
  const leftOut: string[] = [];
  if (simulatedVllmVersion !== target.vllmVersion) {
    doubts.push(`the calibration is of ${calibratedVersion(calibration)}, here ${target.vllmVersion} is simulated`);
  }
  if (gpu !== target.gpu) doubts.push(`the calibration is of ${gpu}, this server runs on ${target.gpu}`);
  if (asyncScheduling !== target.asyncScheduling) {
    const mode = asyncScheduling ? "asynchronous" : "synchronous";
    const difference = `the calibration is of ${mode} scheduling, this server's is not`;
    const movesStep = terms.stepUs.status === "fitted" || terms.kernelGapUsPerLayer.status === "fitted";
    if (movesStep) leftOut.push(`${difference}: its time per step is left out`);
    else doubts.push(difference);
  }
  if (!target.isAdditive) leftOut.push("the calibration is of the additive step model: only its front end is used");
  else if (dropsResidual) {
    leftOut.push("the calibration's residual belongs to another model, GPU or parallelism: left out");
  }
  return { doubts, leftOut };
}
