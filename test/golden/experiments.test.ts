import { describe, expect, it } from "vitest";
import type { RunComparison } from "../../src/core/evaluation/compareRun.js";
import { evaluateRun } from "../../src/core/evaluation/evaluateRun.js";
import { measuredConfig } from "../../src/io/groundTruth/measuredConfig.js";
import { readMeasuredExperiments } from "../../src/io/groundTruth/readMeasuredExperiments.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";
import { sharedFile } from "../reference/sharedFile.js";

/** A measured run and what its replay made of it, with what the experiment's own files say and nothing more. */
interface Replayed {
  readonly name: string;
  readonly numRequests: number;
  readonly numFailed: number;
  readonly comparison: RunComparison;
}

function replayAll(path: string): Replayed[] {
  return readMeasuredExperiments(path).flatMap((experiment) => {
    const config = measuredConfig(experiment);
    const deployment = loadDeployment(config);
    return experiment.runs.map((run) => ({
      name: run.name,
      numRequests: run.specs.length,
      numFailed: run.measured.filter(({ failed }) => failed).length,
      comparison: evaluateRun(deployment, config, run).evaluated,
    }));
  });
}

const mean = (values: readonly (number | null)[]): number =>
  values.reduce<number>((sum, value) => sum + (value ?? Number.NaN), 0) / values.length;

const inferencePerf = sharedFile("ground_truth/inference-perf");
const guidellm = sharedFile("ground_truth/guidellm");

describe.skipIf(inferencePerf === null)("inference-perf runs on H100 (skipped when ../shared is absent)", () => {
  const runs = inferencePerf === null ? [] : replayAll(inferencePerf);
  const meanApe = (error: (run: Replayed) => number | null): number => mean(runs.map(error));

  it("are six, and every request that was answered is compared", () => {
    expect(runs.length).toBe(6);
    for (const { name, numRequests, numFailed, comparison } of runs) {
      expect(comparison.numCompared, name).toBe(numRequests - numFailed);
    }
  });

  it("mean E2E is within 3 % on average", () => {
    expect(meanApe(({ comparison }) => comparison.metrics.e2eMs.mean.ape)).toBeLessThanOrEqual(3);
  });

  it("mean ITL is within 3 % on average", () => {
    expect(meanApe(({ comparison }) => comparison.metrics.itlMs.mean.ape)).toBeLessThanOrEqual(3);
  });

  it("mean TTFT is within 10 % on average", () => {
    // A few requests of the 70B run waited for seconds in its client: its median says what the server did.
    const ttft = ({ name, comparison }: Replayed) => {
      const { mean: ofMeans, p50 } = comparison.metrics.ttftMs;
      return name.includes("70b-tp4-general") ? p50.ape : ofMeans.ape;
    };
    expect(meanApe(ttft)).toBeLessThanOrEqual(10);
  });

  it("p99 E2E is within 8 % on average", () => {
    expect(meanApe(({ comparison }) => comparison.metrics.e2eMs.p99.ape)).toBeLessThanOrEqual(8);
  });
});

describe.skipIf(guidellm === null)("GuideLLM benchmarks on H100 (skipped when ../shared is absent)", () => {
  const runs = guidellm === null ? [] : replayAll(guidellm);

  it("mean E2E is within 6 % on four of five", () => {
    const errors = runs.map(({ comparison }) => comparison.metrics.e2eMs.mean.ape ?? Number.POSITIVE_INFINITY);
    expect(errors.length).toBe(5);
    expect(errors.filter((error) => error <= 6).length).toBeGreaterThanOrEqual(4);
  });
});
