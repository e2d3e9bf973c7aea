import { describe, expect, it } from "vitest";
import { calibrate } from "../../../../../src/core/evaluation/calibration/calibrate.js";
import type { CalibrationTerm } from "../../../../../src/core/evaluation/calibration/calibrationTerms.js";
import { describeCalibration } from "../../../../../src/core/evaluation/calibration/describeCalibration.js";
import { splitRun } from "../../../../../src/core/evaluation/calibration/splitRun.js";
import {
  delayed,
  type PlantedOptions,
  plantedExperiment,
  withMeasured,
} from "../../../../reference/plantedExperiment.js";

const SEED = 42;
const calibratePlanted = (options: PlantedOptions) => calibrate(plantedExperiment(options), SEED);

function expectPlanted(options: PlantedOptions, terms: Partial<Record<CalibrationTerm, number>>): void {
  const fit = calibratePlanted({ ...options, planted: terms });
  for (const [term, planted] of Object.entries(terms)) {
    const estimate = fit.terms[term as CalibrationTerm]!;
    expect(estimate.status, term).toBe("fitted");
    expect(estimate.low80, term).toBeLessThanOrEqual(planted);
    expect(estimate.high80, term).toBeGreaterThanOrEqual(planted);
  }
}

describe("planted constants come back within their own intervals", () => {
  it.each([1, 2, 3])("from an asynchronous server, seed %i", (seed) => {
    expectPlanted({ seed }, { frontEndUs: 9000, kernelGapUsPerLayer: 26 });
  });

  it("from a synchronous server, whose CPU time is in the open", () => {
    expectPlanted({ vllmVersion: "0.11.0" }, { frontEndUs: 8000, stepUs: 1500 });
    expectPlanted({ vllmVersion: "0.11.0" }, { stepUs: -1500 });
  });

  it("where the server waits less than the default says", () => {
    expectPlanted({ model: "meta-llama/Llama-3.1-70B", tensorParallelSize: 4 }, { kernelGapUsPerLayer: 0 });
  });

  it("where prompts pass a slow tokeniser", () => {
    expectPlanted({}, { frontEndUsPerPromptToken: 20 });
  });

  it("despite warm-up stalls, outliers of seconds and failed requests", () => {
    expectPlanted(
      { numStalled: 30, outlierFraction: 0.05, failedFraction: 0.03 },
      { frontEndUs: 9000, kernelGapUsPerLayer: 26 },
    );
  });

  it("from no more than a hundred requests", () => {
    expectPlanted({ numRequests: 100 }, { frontEndUs: 9000, kernelGapUsPerLayer: 26 });
  });
});

describe("what a run does not contradict", () => {
  const fit = calibratePlanted({});

  it("stays at its built-in value to the last bit", () => {
    for (const { value, start, status } of Object.values(fit.terms)) {
      expect(status).not.toBe("fitted");
      expect(value).toBe(start);
    }
  });

  it("has an interval about where the run puts it, not about the built-in value", () => {
    const moved = calibratePlanted({
      model: "meta-llama/Llama-3.1-70B",
      tensorParallelSize: 4,
      planted: { frontEndUs: 5600 },
    }).terms.frontEndUs!;
    expect(moved).toMatchObject({ status: "agrees", value: 4500 });
    expect(moved.fitted).toBeGreaterThan(4700);
    expect((moved.low80 + moved.high80) / 2).toBeCloseTo(moved.fitted, 6);
  });

  it("says so where the run cannot tell", () => {
    // Prompts of 100 to 500 tokens at 1 µs each: half a millisecond in a TTFT that prefill kernels blur by more.
    expect(fit.terms.frontEndUsPerPromptToken).toMatchObject({ identifiable: false, status: "not identifiable" });
    expect(fit.terms.frontEndUs).toMatchObject({ identifiable: true, status: "agrees" });
  });
});

describe("a physical term wins over a residual one", () => {
  it.each<[string, PlantedOptions]>([
    ["a late front end", { planted: { frontEndUs: 12_000 } }],
    [
      "a network in front of the server",
      { residual: { usPerRequest: 300_000, usPerPromptToken: 0, usPerOutputToken: 0 } },
    ],
    ["a cost per prompt token", { residual: { usPerRequest: 0, usPerPromptToken: 20, usPerOutputToken: 0 } }],
    ["longer steps", { planted: { kernelGapUsPerLayer: 26 } }],
  ])("for %s", (_what, options) => {
    const { residuals, validation } = calibratePlanted(options);
    expect(Object.values(residuals).map(({ kept, value }) => [kept, value])).toEqual(Array(3).fill([false, 0]));
    expect(validation.after.ttftMape!).toBeLessThan(validation.before.ttftMape!);
  });

  it("even where it stays at its start because the run does not quite contradict it", () => {
    const { terms, residuals } = calibratePlanted({
      model: "meta-llama/Llama-3.1-70B",
      tensorParallelSize: 4,
      planted: { frontEndUs: 5600 },
    });
    expect(terms.frontEndUs!.status).toBe("agrees");
    expect(residuals.usPerRequest.kept).toBe(false);
  });

  it("but what no constant of the server explains is kept as a residual", () => {
    const { residuals, validation } = calibratePlanted({
      residual: { usPerRequest: 0, usPerPromptToken: 0, usPerOutputToken: 5000 },
    });
    expect(residuals.usPerOutputToken.kept).toBe(true);
    expect(residuals.usPerOutputToken.value).toBeGreaterThan(0);
    expect(validation.after.e2eMape!).toBeLessThan(0.1 * validation.before.e2eMape!);
  });
});

describe("a calibration", () => {
  it("lowers the error on requests that it was not fitted on", () => {
    const { training, validation } = calibratePlanted({ planted: { frontEndUs: 9000, kernelGapUsPerLayer: 26 } });
    expect(validation.before.numRequests).toBeGreaterThan(60);
    expect(validation.after.e2eMape!).toBeLessThan(0.2 * validation.before.e2eMape!);
    expect(training.after.e2eMape!).toBeLessThan(0.2 * training.before.e2eMape!);
  });

  it("is the same to the last bit for the same run and seed", () => {
    const options = { planted: { frontEndUs: 9000 } };
    expect(JSON.stringify(calibratePlanted(options))).toBe(JSON.stringify(calibratePlanted(options)));
  });

  it("draws other validation blocks for another seed", () => {
    const from = plantedExperiment();
    expect(calibrate(from, 1).validation.before).not.toEqual(calibrate(from, 2).validation.before);
  });

  it("is refused when it does not hold on the validation part", () => {
    const from = plantedExperiment();
    const held = new Set(splitRun(from.runs[0]!, SEED).validation);
    const spoiled = withMeasured(from, (request, i) => (held.has(i) ? delayed(request, 400) : request));
    expect(() => calibrate(spoiled, SEED)).toThrow(/calibration refused: the E2E error is .* more than 2 times/);
  });

  it("says so when it would be stale on the very run it was fitted on", () => {
    const from = plantedExperiment();
    const origin = { name: "x", vllmVersion: null, date: null, seed: SEED };
    const notesOf = (run: typeof from) => describeCalibration(run, calibrate(run, SEED), origin).notes.join("\n");
    expect(notesOf(from)).not.toContain("does not describe this server");
    const impossible = withMeasured(from, (request) => ({
      ...request,
      ttftMs: 0.1 * request.ttftMs,
      e2eMs: 0.1 * request.e2eMs,
    }));
    expect(notesOf(impossible)).toMatch(/does not describe this server: .*E2E errs by/);
  });

  it("is refused with fewer than a hundred usable requests, saying how many there are", () => {
    expect(() => calibratePlanted({ numRequests: 99 })).toThrow(/99 usable requests.*at least 100/);
    const from = plantedExperiment({ numRequests: 120 });
    const failing = withMeasured(from, (request, i) => (i % 4 === 0 ? { ...request, failed: true } : request));
    expect(() => calibrate(failing, SEED)).toThrow(/90 usable requests/);
  });

  it("is refused on a run that cannot be compared fairly, with the reason", () => {
    const from = plantedExperiment();
    const excluded = { ...from, runs: [{ ...from.runs[0]!, excluded: "33 % of requests failed" }] };
    expect(() => calibrate(excluded, SEED)).toThrow(/33 % of requests failed.*below saturation/);
  });

  it("is refused on a run near saturation, where a queue hides the server", () => {
    expect(() => calibratePlanted({ requestsPerS: 10, maxNumSeqs: 4 })).toThrow(/near saturation.*fewer per second/);
  });
});
