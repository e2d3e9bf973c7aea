import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../../../src/core/errors/simulationError.js";
import { testHypotheses } from "../../../../../src/core/evaluation/hypotheses/testHypotheses.js";
import { loadDeployment } from "../../../../../src/io/loadDeployment.js";
import { ownExperiment, smallRun } from "../../../../reference/ownExperiment.js";

const experiments = [
  ownExperiment(smallRun("meta-llama/Llama-2-7b-hf", 10)),
  ownExperiment(smallRun("meta-llama/Llama-3.1-8B", 10)),
];

describe("the lab, on runs that the additive model made itself", { timeout: 120_000 }, () => {
  const told: number[] = [];
  const report = testHypotheses(experiments, loadDeployment, (_what, numThings) => told.push(numThings));
  const row = (stepModel: string, toggled: string | null) =>
    report.ablation.find((candidate) => candidate.stepModel === stepModel && candidate.toggled === toggled)!;

  it("finds the additive model without error, and every correction taken away with some", () => {
    expect(row("additive", null)).toMatchObject({ e2eError: 0, ttftError: 0, tpotError: 0 });
    for (const hypothesis of ["H1", "H2", "H3", "H6"])
      expect(row("additive", hypothesis).tpotError, hypothesis).toBeGreaterThan(1);
    expect(row("roofline-v2", null).tpotError).toBeGreaterThan(5);
    expect(row("roofline-v1", null).tpotError).toBeGreaterThan(1);
    // The six do not make up the whole way: real shapes and the small operators are missing still.
    expect(row("roofline-v2", "all").tpotError).toBeGreaterThan(1);
    expect(row("roofline-v2", "all").tpotError).toBeLessThan(row("roofline-v2", null).tpotError);
  });

  it("judges every hypothesis once, with checks from both ends", () => {
    expect(report.findings.map(({ hypothesis }) => hypothesis)).toEqual(["H1", "H2", "H3", "H4", "H5", "H6"]);
    for (const { real, hypothesis } of report.findings) {
      expect(real["roofline-v2"].length, hypothesis).toBeGreaterThan(0);
      expect(real.additive.length, hypothesis).toBe(real["roofline-v2"].length);
    }
    const [h1] = report.findings;
    expect(h1!.real.additive[0]).toMatchObject({ holds: true });
    expect(h1!.real.additive[0]!.value).toBeCloseTo(row("additive", "H1").tpotError, 9);
  });

  it("says truly how many things it will do", () => {
    const numThings = told.at(-1)!;
    expect(told.length).toBe(numThings);
  });

  it("needs two experiments", () => {
    expect(() => testHypotheses(experiments.slice(0, 1), loadDeployment, () => {})).toThrow(ConfigError);
  });
});
