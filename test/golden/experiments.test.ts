import { describe, expect, it } from "vitest";
import { evaluateRun } from "../../src/core/evaluation/evaluateRun.js";
import { type EvaluatedRun, evaluationReport } from "../../src/core/evaluation/evaluationReport.js";
import { REGIME_GROUPS, seenErrors } from "../../src/core/metrics/regimeErrors.js";
import { measuredConfig } from "../../src/io/groundTruth/measuredConfig.js";
import { readMeasuredExperiments } from "../../src/io/groundTruth/readMeasuredExperiments.js";
import { loadDeployment } from "../../src/io/loadDeployment.js";
import { sharedFile } from "../reference/sharedFile.js";

/** A measured run and what its replay made of it, with what the experiment's own files say and nothing more. */
interface Replayed {
  readonly name: string;
  readonly numRequests: number;
  readonly numFailed: number;
  readonly evaluated: EvaluatedRun;
}

function replayAll(path: string): Replayed[] {
  return readMeasuredExperiments(path).flatMap((experiment) => {
    const config = measuredConfig(experiment);
    const deployment = loadDeployment(config);
    return experiment.runs.map((run) => ({
      name: run.name,
      numRequests: run.specs.length,
      numFailed: run.measured.filter(({ failed }) => failed).length,
      evaluated: evaluateRun(deployment, config, run).evaluated,
    }));
  });
}

const mean = (values: readonly (number | null)[]): number =>
  values.reduce<number>((sum, value) => sum + (value ?? Number.NaN), 0) / values.length;

const inferencePerf = sharedFile("ground_truth/inference-perf");
const guidellm = sharedFile("ground_truth/guidellm");
const inferencePerfRuns = inferencePerf === null ? [] : replayAll(inferencePerf);
const guidellmRuns = guidellm === null ? [] : replayAll(guidellm);
/** Percentage points by which a quoted error may be off before it must be printed again. */
const QUOTE_TOLERANCE = 0.3;

describe.skipIf(inferencePerf === null)("inference-perf runs on H100 (skipped when ../shared is absent)", () => {
  const meanApe = (error: (run: Replayed) => number | null): number => mean(inferencePerfRuns.map(error));

  it("are six, and every request that was answered is compared", () => {
    expect(inferencePerfRuns.length).toBe(6);
    for (const { name, numRequests, numFailed, evaluated } of inferencePerfRuns) {
      expect(evaluated.numCompared, name).toBe(numRequests - numFailed);
    }
  });

  it("mean E2E is within 3 % on average", () => {
    expect(meanApe(({ evaluated }) => evaluated.metrics.e2eMs.mean.ape)).toBeLessThanOrEqual(3);
  });

  it("mean ITL is within 3 % on average", () => {
    expect(meanApe(({ evaluated }) => evaluated.metrics.itlMs.mean.ape)).toBeLessThanOrEqual(3);
  });

  it("mean TTFT is within 10 % on average", () => {
    // A few requests of the 70B run waited for seconds in its client: its median says what the server did.
    const ttft = ({ name, evaluated }: Replayed) => {
      const { mean: ofMeans, p50 } = evaluated.metrics.ttftMs;
      return name.includes("70b-tp4-general") ? p50.ape : ofMeans.ape;
    };
    expect(meanApe(ttft)).toBeLessThanOrEqual(10);
  });

  it("p99 E2E is within 8 % on average", () => {
    expect(meanApe(({ evaluated }) => evaluated.metrics.e2eMs.p99.ape)).toBeLessThanOrEqual(8);
  });
});

describe.skipIf(guidellm === null)("GuideLLM benchmarks on H100 (skipped when ../shared is absent)", () => {
  it("mean E2E is within 6 % on four of five", () => {
    const errors = guidellmRuns.map(({ evaluated }) => evaluated.metrics.e2eMs.mean.ape ?? Number.POSITIVE_INFINITY);
    expect(errors.length).toBe(5);
    expect(errors.filter((error) => error <= 6).length).toBeGreaterThanOrEqual(4);
  });
});

describe.skipIf(inferencePerf === null || guidellm === null)("errors quoted by regime (needs ../shared)", () => {
  const runs = [...inferencePerfRuns, ...guidellmRuns].map(({ evaluated }) => evaluated);

  it("are those of the measured runs (eval/regime/seenErrors.ts prints them)", () => {
    const { byRegime } = evaluationReport(runs).summary;
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
        expect(Math.abs((known as number) - (seen as number)), group).toBeLessThan(QUOTE_TOLERANCE);
      }
    }
  });

  it("tell the runs that the sharing of a batch or a queue brings near saturation from the others", () => {
    const near = runs.filter(({ regime }) => regime.label === "near").map(({ name }) => name);
    expect(near).toEqual(["20260217-231439-llama-2-7b-tp1-general", "jan20-codellama-prefill-1/4-constant-1.09"]);
  });
});
