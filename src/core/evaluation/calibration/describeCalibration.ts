import { ROOFSERVE_VERSION } from "../../engine/version.js";
import { InvariantError } from "../../errors/simulationError.js";
import type { Calibrated } from "./calibrate.js";
import type { CalibrationCase } from "./calibrationCase.js";
import { CALIBRATION_SCHEMA_ID, type Calibration } from "./calibrationSchema.js";
import type { CalibrationTerm } from "./calibrationTerms.js";
import type { TermEstimate } from "./fitTerms.js";
import { BLOCKS_PER_VALIDATION, MAX_WARM_UP_FRACTION, MAX_WARM_UP_REQUESTS, NUM_BLOCKS } from "./splitRun.js";
import { judgeStaleness, STALE_PERCENT } from "./staleness.js";

/** What a coefficient set is called and where it comes from. */
export interface CalibrationOrigin {
  readonly name: string;
  /** As the server printed it; null when the files do not say. */
  readonly vllmVersion: string | null;
  readonly date: string | null;
  readonly seed: number;
}

/** A fit with everything that a later reader needs to judge whether it still applies. */
export function describeCalibration(from: CalibrationCase, fit: Calibrated, origin: CalibrationOrigin): Calibration {
  const { training, validation } = fit;
  return {
    schema: CALIBRATION_SCHEMA_ID,
    name: origin.name,
    roofserveVersion: ROOFSERVE_VERSION,
    vllmVersion: origin.vllmVersion,
    simulatedVllmVersion: from.config.engine.vllmVersion,
    asyncScheduling: fit.isAsync,
    model: from.deployment.architecture.id,
    gpu: from.deployment.gpu.id,
    tensorParallelSize: from.config.engine.tensorParallelSize,
    source: from.name,
    runs: [...fit.runs],
    date: origin.date,
    seed: origin.seed,
    terms: {
      frontEndUs: termOf(fit, "frontEndUs"),
      frontEndUsPerPromptToken: termOf(fit, "frontEndUsPerPromptToken"),
      stepUs: termOf(fit, "stepUs"),
      kernelGapUsPerLayer: termOf(fit, "kernelGapUsPerLayer"),
    },
    residual: { ...fit.residuals },
    errors: { training, validation },
    split: {
      method:
        `each run without its first ${MAX_WARM_UP_REQUESTS} requests (at most ${100 * MAX_WARM_UP_FRACTION} %), in ` +
        `${NUM_BLOCKS} blocks of consecutive requests; one of every ${BLOCKS_PER_VALIDATION}, drawn by the seed, validates`,
      numWarmUp: fit.numWarmUp,
      numTraining: training.after.numRequests,
      numValidation: validation.after.numRequests,
    },
    notes: [...fit.notes, ...(movesNothing(fit) ? [NOTHING_MOVED] : []), ...poorFitNotes(fit)],
  };
}

const NOTHING_MOVED = "nothing moved: with this calibration predictions are those of the built-in constants";

function movesNothing({ terms, residuals }: Calibrated): boolean {
  const isMoved = Object.values(terms).some(({ status }) => status === "fitted");
  return !isMoved && Object.values(residuals).every(({ kept }) => !kept);
}

/** What `--check` would call stale on the very run it was fitted on: no server of this description. */
function poorFitNotes({ validation }: Calibrated): string[] {
  const { isStale, reasons } = judgeStaleness(validation.after);
  if (!isStale) return [];
  return [
    `does not describe this server: on the requests kept for validation ${reasons.join(", ")}, more than ` +
      `${STALE_PERCENT} %; are model, GPU, tensor parallelism and engine options those of the run?`,
  ];
}

function termOf(fit: Calibrated, term: CalibrationTerm): TermEstimate {
  const estimate = fit.terms[term];
  if (estimate === undefined) throw new InvariantError(`${term} was not fitted`);
  return estimate;
}
