import { describe, expect, it } from "vitest";
import { runScenario, runScenarioOverExtents, type Scenario } from "./scenarioDriver.js";
import { readSpecJson } from "./specFile.js";

interface ScenarioFile {
  readonly scenarios: readonly Scenario[];
}

const FILES = [
  { path: "vllm-scheduler/scenarios.json", numScenarios: 29 },
  { path: "vllm-scheduler/scenarios_extra.json", numScenarios: 12 },
];

for (const { path, numScenarios } of FILES) {
  const file = readSpecJson(path) as ScenarioFile | null;

  describe.skipIf(file === null)(`schedules of ${path} (skipped when ../shared is absent)`, () => {
    it("are all here", () => {
      expect(file?.scenarios).toHaveLength(numScenarios);
    });

    it.each(file?.scenarios ?? [])("$id: $title", (scenario) => {
      const { steps, finalFree, usableBlocks } = runScenario(scenario);
      expect(usableBlocks).toBe(scenario.usable_blocks);
      expect(steps).toEqual(scenario.expected_steps);
      expect(finalFree).toBe(scenario.final_free);
    });

    const fullAttention = file?.scenarios.filter(({ config }) => config.sliding_window === 0) ?? [];

    it.each(fullAttention)("$id, over extents: $title", (scenario) => {
      const { steps, finalFree, usableBlocks } = runScenarioOverExtents(scenario);
      expect(usableBlocks).toBe(scenario.usable_blocks);
      expect(steps).toEqual(scenario.expected_steps.map((step) => ({ ...step, evicted_blocks: [] })));
      expect(finalFree).toBe(scenario.final_free);
    });
  });
}
