import { describe, expect, it } from "vitest";
import { commonConfig, configDifferences } from "../../../../src/core/config/compareConfigs.js";

const a = { gpu: "H100", engine: { tp: 1, limits: [1, 2] }, pricing: {} };
const b = { gpu: "L40S", engine: { tp: 1, limits: [1, 3] }, pricing: {} };

describe("commonConfig", () => {
  it("keeps what all configs say, key by key, lists whole", () => {
    expect(commonConfig([a, b])).toEqual({ engine: { tp: 1 }, pricing: {} });
    expect(commonConfig([a])).toEqual(a);
    expect(commonConfig([])).toEqual({});
  });
});

describe("configDifferences", () => {
  it("names every place with both values, and nothing where there is none", () => {
    expect(configDifferences(a, b)).toEqual([
      { path: "gpu", before: "H100", after: "L40S" },
      { path: "engine.limits", before: [1, 2], after: [1, 3] },
    ]);
    expect(configDifferences(a, structuredClone(a))).toEqual([]);
  });

  it("shows keys that only one of them has", () => {
    expect(configDifferences({ x: 1 }, { y: null })).toEqual([
      { path: "x", before: 1, after: undefined },
      { path: "y", before: undefined, after: null },
    ]);
  });
});
