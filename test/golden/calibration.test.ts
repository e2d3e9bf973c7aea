import { describe, expect, it } from "vitest";
import { BUILT_IN_START } from "../../src/core/evaluation/calibration/calibrationTerms.js";
import { crossValidate } from "../../src/core/evaluation/calibration/crossValidate.js";
import { measuredConfig } from "../../src/io/groundTruth/measuredConfig.js";
import { readMeasuredExperiments } from "../../src/io/groundTruth/readMeasuredExperiments.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";
import { sharedFile } from "../reference/sharedFile.js";

const guidellm = sharedFile("ground_truth/guidellm");

describe.skipIf(guidellm === null)("a real GuideLLM sweep, each benchmark from the others (needs ../shared)", () => {
  const cases = (guidellm === null ? [] : readMeasuredExperiments(guidellm)).map((experiment) => {
    const config = measuredConfig(experiment);
    return { name: experiment.name, deployment: loadDeployment(config), config, runs: experiment.runs };
  });
  const { sameServer } = crossValidate(cases, { start: BUILT_IN_START, seed: 42 });

  it("is five benchmarks, none of them part of its own fit", () => {
    expect(sameServer).toHaveLength(5);
    expect(sameServer.every(({ refused }) => refused === null)).toBe(true);
  });

  it("comes within 2 % E2E and 5 % TTFT on average, the benchmark at saturation included", () => {
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(sameServer.map(({ after }) => after.metrics.e2eMs.mean.ape!))).toBeLessThanOrEqual(2);
    expect(mean(sameServer.map(({ after }) => after.metrics.ttftMs.mean.ape!))).toBeLessThanOrEqual(5);
  });

  it("errs less than with the built-in constants, in every benchmark", () => {
    for (const { before, after } of sameServer) {
      expect(after.metrics.e2eMs.mean.ape!, before.name).toBeLessThan(before.metrics.e2eMs.mean.ape!);
    }
  });
});
