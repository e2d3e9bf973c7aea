import { type EngineConfig, engineConfigSchema } from "../../core/config/engineConfig.js";
import type { Deployment } from "../../core/engine/createServer.js";
import { resolveAsyncScheduling } from "../../core/engine/resolveEngine.js";
import { applyCalibration } from "../../core/evaluation/calibration/applyCalibration.js";
import { readCalibration } from "./calibrationFile.js";

/**
 * The deployment with the constants of a calibration file, as far as they hold for it; its notes say which file, and
 * what does not hold.
 * @throws DataFileError when the file is missing or no calibration
 */
export function calibrated(deployment: Deployment, file: string, engineConfig?: EngineConfig): Deployment {
  const engine = engineConfig ?? engineConfigSchema.parse({});
  const calibration = readCalibration(file);
  const { constants, notes } = applyCalibration(calibration, {
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
  return {
    ...deployment,
    constants: { ...constants, waits },
    notes: () => [...notes, ...(deployment.notes?.() ?? [])],
  };
}
