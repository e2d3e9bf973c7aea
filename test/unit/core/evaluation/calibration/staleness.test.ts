import { describe, expect, it } from "vitest";
import { calibrate } from "../../../../../src/core/evaluation/calibration/calibrate.js";
import { replayAt } from "../../../../../src/core/evaluation/calibration/calibrationCase.js";
import { requestErrors } from "../../../../../src/core/evaluation/calibration/calibrationErrors.js";
import { BUILT_IN_START } from "../../../../../src/core/evaluation/calibration/calibrationTerms.js";
import { usableRequests } from "../../../../../src/core/evaluation/calibration/splitRun.js";
import { judgeStaleness } from "../../../../../src/core/evaluation/calibration/staleness.js";
import { type PlantedOptions, plantedExperiment } from "../../../../reference/plantedExperiment.js";

const planted = { frontEndUs: 9000, kernelGapUsPerLayer: 26 };
const { values } = calibrate(plantedExperiment({ planted }), 42);

function verdictOn(options: PlantedOptions) {
  const from = plantedExperiment({ seed: 9, ...options });
  const [run] = from.runs as [(typeof from.runs)[number]];
  const records = replayAt(from, run, values, BUILT_IN_START);
  return judgeStaleness(requestErrors([{ run, records, indices: usableRequests(run.measured) }], null));
}

describe("a calibration", () => {
  it("is fresh on a new run of the server it was made of", () => {
    expect(verdictOn({ planted })).toEqual({ isStale: false, reasons: [] });
  });

  it("is stale once steps take much longer", () => {
    const { isStale, reasons } = verdictOn({ planted: { frontEndUs: 9000, stepUs: 9000 } });
    expect(isStale).toBe(true);
    expect(reasons.join()).toMatch(/E2E errs by .*ITL errs by/);
  });

  it("is stale once the front end takes much longer, though E2E hardly shows it", () => {
    const { isStale, reasons } = verdictOn({ planted: { frontEndUs: 40_000, kernelGapUsPerLayer: 26 } });
    expect(isStale).toBe(true);
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toMatch(/^TTFT errs by/);
  });
});

describe("the limit", () => {
  it("is thirty percent, and what is unknown breaks no limit", () => {
    const errors = { numRequests: 1, e2eMape: 30, ttftMape: null, itlMape: null };
    expect(judgeStaleness(errors).isStale).toBe(false);
    expect(judgeStaleness({ ...errors, e2eMape: 30.1 }).isStale).toBe(true);
  });
});
