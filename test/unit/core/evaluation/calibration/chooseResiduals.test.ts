import { describe, expect, it } from "vitest";
import { BUILT_IN_START, termsOfOneRun } from "../../../../../src/core/evaluation/calibration/calibrationTerms.js";
import { chooseResiduals } from "../../../../../src/core/evaluation/calibration/chooseResiduals.js";
import { gatherEvidence } from "../../../../../src/core/evaluation/calibration/evidence.js";
import { fitTerms } from "../../../../../src/core/evaluation/calibration/fitTerms.js";
import { fitResiduals } from "../../../../../src/core/evaluation/calibration/residualTerms.js";
import { splitRun } from "../../../../../src/core/evaluation/calibration/splitRun.js";
import type { MeasuredRequest } from "../../../../../src/core/metrics/measuredExperiment.js";
import { plantedExperiment, withMeasured } from "../../../../reference/plantedExperiment.js";

const SEED = 42;
const terms = termsOfOneRun(true);
const NUM_TOKENS = 60;

/** Every output token of a request came later by so much. */
const slower = (request: MeasuredRequest, usPerToken: number): MeasuredRequest => ({
  ...request,
  itlMs: request.itlMs + usPerToken / 1000,
  e2eMs: request.e2eMs + ((NUM_TOKENS - 1) * usPerToken) / 1000,
});

function choose(usPerToken: (index: number) => number) {
  const plain = plantedExperiment({ outputTokens: NUM_TOKENS });
  const from = withMeasured(plain, (request, i) => slower(request, usPerToken(i)));
  const evidence = gatherEvidence(from, BUILT_IN_START, SEED);
  const { values } = fitTerms([evidence], BUILT_IN_START, terms);
  return {
    fitted: fitResiduals(evidence, values, terms).estimates.usPerOutputToken,
    chosen: chooseResiduals(evidence, values, terms).usPerOutputToken,
  };
}

const split = splitRun(plantedExperiment({ outputTokens: NUM_TOKENS }).runs[0]!, SEED);

describe("a residual", () => {
  it("is kept where training requests outside its fit have it too", () => {
    const { chosen } = choose(() => 5000);
    expect(chosen.kept).toBe(true);
    expect(chosen.value).toBeGreaterThan(0);
  });

  it("is chosen without a look at the validation requests", () => {
    const held = new Set(split.validation);
    const { chosen } = choose((i) => (held.has(i) ? 0 : 5000));
    expect(chosen).toEqual(choose(() => 5000).chosen);
  });

  it("is dropped where it makes left-out training requests worse, with the reason", () => {
    const inEvenBlock = new Set(split.training.filter((_, block) => block % 2 === 0).flat());
    const { fitted, chosen } = choose((i) => (inEvenBlock.has(i) ? 16_000 : 0));
    expect(fitted.kept).toBe(true);
    expect(chosen).toMatchObject({ kept: false, value: 0, fitted: fitted.fitted });
    expect(chosen.reason).toContain("training requests left out of its fit");
  });
});
