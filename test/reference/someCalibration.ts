import type { Calibration } from "../../src/core/evaluation/calibration/calibrationSchema.js";

/** A calibration of Llama-3.1-8B on one H100 with vLLM 0.15, whatever run it may come from. */
export function someCalibration(): Calibration {
  const term = { standardError: 100, identifiable: true, status: "fitted" } as const;
  const dropped = { value: 0, fitted: 0, standardError: 1, low80: -1, high80: 1, kept: false, reason: "nothing left" };
  const errors = { numRequests: 80, e2eMape: 1, ttftMape: 5, itlMape: null };
  return {
    schema: "roofserve.calibration/1",
    name: "mine",
    roofserveVersion: "0.1.0",
    vllmVersion: "0.15.1",
    simulatedVllmVersion: "0.15",
    asyncScheduling: true,
    model: "meta-llama/Llama-3.1-8B",
    gpu: "H100",
    tensorParallelSize: 1,
    source: "my run",
    runs: ["my run"],
    date: "2026-01-20",
    seed: 42,
    terms: {
      frontEndUs: { ...term, value: 9000, fitted: 9000, low80: 8870, high80: 9130, start: 4500 },
      frontEndUsPerPromptToken: { ...term, value: 2, fitted: 2, low80: 0, high80: 130, start: 1 },
      stepUs: { ...term, value: 600, fitted: 600, low80: 470, high80: 730, start: 0 },
      kernelGapUsPerLayer: { ...term, value: 9, fitted: 9, low80: 0, high80: 137, start: 7 },
    },
    residual: { usPerOutputToken: dropped, usPerPromptToken: dropped, usPerRequest: dropped },
    errors: { training: { before: errors, after: errors }, validation: { before: errors, after: errors } },
    split: { method: "alternating blocks", numWarmUp: 10, numTraining: 80, numValidation: 20 },
    notes: [],
  };
}
