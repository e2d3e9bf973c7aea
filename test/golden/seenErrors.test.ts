import { describe, expect, it } from "vitest";
import { evaluateRun } from "../../src/core/evaluation/evaluateRun.js";
import { type EvaluatedRun, evaluationReport } from "../../src/core/evaluation/evaluationReport.js";
import { REGIME_GROUPS, seenErrors } from "../../src/core/metrics/regimeErrors.js";
import { measuredConfig } from "../../src/io/groundTruth/measuredConfig.js";
import { readMeasuredExperiments } from "../../src/io/groundTruth/readMeasuredExperiments.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";
import { sharedFile } from "../reference/sharedFile.js";

/** Percentage points by which a quoted error may be off before it must be printed again. */
const TOLERANCE = 0.3;

function evaluateAll(path: string): EvaluatedRun[] {
  return readMeasuredExperiments(path).flatMap((experiment) => {
    const config = measuredConfig(experiment);
    const deployment = loadDeployment(config);
    return experiment.runs.map((run) => evaluateRun(deployment, config, run).evaluated);
  });
}

const paths = [sharedFile("ground_truth/inference-perf"), sharedFile("ground_truth/guidellm")];

describe.skipIf(paths.includes(null))("errors quoted by regime (skipped when ../shared is absent)", () => {
  const runs = paths.flatMap((path) => (path === null ? [] : evaluateAll(path)));
  const { byRegime } = evaluationReport(runs).summary;

  it("are those of the measured runs (eval/regime/seenErrors.ts prints them)", () => {
    for (const group of REGIME_GROUPS) {
      const closedLoop = group === "closedLoop";
      const quoted = seenErrors({ closedLoop, label: closedLoop ? "below" : group });
      const { numRuns, e2eMeanApe, ttftMeanApe, itlMeanApe } = byRegime[group];
      expect(quoted?.numRuns ?? 0, group).toBe(numRuns);
      if (quoted === null) continue;
      const pairs = [
        [quoted.e2eMeanApe, e2eMeanApe.mean],
        [quoted.e2eMeanApeMax, e2eMeanApe.max],
        [quoted.ttftMeanApe, ttftMeanApe.mean],
        [quoted.itlMeanApe, itlMeanApe.mean],
      ];
      for (const [known, seen] of pairs) {
        expect(Math.abs((known as number) - (seen as number)), group).toBeLessThan(TOLERANCE);
      }
    }
  });

  it("tell the runs that the sharing of a batch or a queue brings near saturation from the others", () => {
    const near = runs.filter(({ regime }) => regime.label === "near").map(({ name }) => name);
    expect(near).toEqual(["20260217-231439-llama-2-7b-tp1-general", "jan20-codellama-prefill-1/4-constant-1.09"]);
  });
});
