import { type EngineConfig, engineConfigSchema } from "../../core/config/engineConfig.js";
import type { Deployment } from "../../core/engine/createServer.js";
import { resolveAsyncScheduling } from "../../core/engine/resolveEngine.js";
import { type AppliedCalibration, applyCalibration } from "../../core/evaluation/calibration/applyCalibration.js";
import type { Calibration } from "../../core/evaluation/calibration/calibrationSchema.js";

/** A deployment with a calibration, and how far that holds for it. */
export interface CalibratedDeployment extends Omit<AppliedCalibration, "constants"> {
  readonly deployment: Deployment;
}

/** The deployment with the constants of a calibration, as far as they hold for it. */
export function withCalibration(
  deployment: Deployment,
  calibration: Calibration,
  engineConfig?: EngineConfig,
): CalibratedDeployment {
  const engine = engineConfig ?? engineConfigSchema.parse({});
  const { constants, ...applied } = applyCalibration(calibration, {
    model: deployment.architecture.id,
    gpu: deployment.gpu.id,
    tensorParallelSize: engine.tensorParallelSize,
    vllmVersion: engine.vllmVersion,
    asyncScheduling: resolveAsyncScheduling(engine),
    isAdditive: deployment.stepPricing === undefined,
  });
  // Gaps measured by micro-benchmarks give way to those of a whole run, and not to built-in ones that a run agreed with.
  const isGapFitted = calibration.terms.kernelGapUsPerLayer.status === "fitted";
  const measured = deployment.constants?.waits;
  const waits = isGapFitted ? { ...measured, ...constants.waits } : { ...constants.waits, ...measured };
  return { ...applied, deployment: { ...deployment, constants: { ...constants, waits } } };
}

/** `withCalibration`, with what it found among the deployment's notes. */
export function calibrated(deployment: Deployment, calibration: Calibration, engineConfig?: EngineConfig): Deployment {
  const { provenance, doubts, leftOut, ...found } = withCalibration(deployment, calibration, engineConfig);
  const warnings = doubts.map((doubt) => `${doubt}: it may be stale; roofserve calibrate --check tells on a new run`);
  const notes = [provenance, ...warnings, ...leftOut];
  return { ...found.deployment, notes: () => [...notes, ...(deployment.notes?.() ?? [])] };
}
