import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigError, DataFileError } from "../../../src/core/errors/simulationError.js";
import { createWorkload } from "../../../src/core/workload/createWorkload.js";
import { PACKAGE_ROOT } from "../../../src/io/packageRoot.js";
import { loadWorkloadPreset, WORKLOAD_PRESETS } from "../../../src/io/workloadPresets.js";
import { serve } from "../../reference/instantServer.js";
import { temporaryFolder } from "../../reference/temporaryFile.js";

const { write } = temporaryFolder();

describe("workload presets", () => {
  it("are exactly the files in workloads/", () => {
    const files = readdirSync(join(PACKAGE_ROOT, "workloads"));
    expect(files.sort()).toEqual(WORKLOAD_PRESETS.map((name) => `${name}.json`).sort());
  });

  /** Mean prompt and output tokens that the preset's sources state; clamping at the maximum takes a little off. */
  it.each([
    ["chat", 1155, 211],
    ["code", 2048, 28],
    ["summarise", 7905, 230],
    ["rag", 5580, 211],
    ["reasoning", 1000, 4000],
    ["agent", 8596, 182],
  ] as const)("%s has the mean lengths it states", (name, promptTokens, outputTokens) => {
    const preset = loadWorkloadPreset(name);
    expect(preset.description).not.toBe("");
    expect(preset.sources.length).toBeGreaterThan(0);
    const { specs } = serve(createWorkload({ ...preset, maxRequests: 4000 }, 1), () => 1000);
    const mean = (of: (spec: (typeof specs)[number]) => number) =>
      specs.reduce((sum, spec) => sum + of(spec), 0) / 4000;
    expect(Math.abs(mean((spec) => spec.numPromptTokens) / promptTokens - 1)).toBeLessThan(0.08);
    expect(Math.abs(mean((spec) => spec.maxTokens) / outputTokens - 1)).toBeLessThan(0.08);
  });

  it("suggest a near miss", () => {
    expect(() => loadWorkloadPreset("chatt")).toThrow(ConfigError);
    expect(() => loadWorkloadPreset("chatt")).toThrow("did you mean chat?");
    expect(loadWorkloadPreset("CHAT")).toEqual(loadWorkloadPreset("chat"));
  });
});

describe("workload files", () => {
  const DATA = "data: { kind: synthetic, promptTokens: 5, outputTokens: 2 }";

  it("are of the same shape, in YAML or JSON", () => {
    const yaml = loadWorkloadPreset(write("own.yaml", `profile: { kind: constant, rate: 2 }\n${DATA}\n`));
    const json = JSON.stringify({
      profile: { kind: "constant", rate: 2 },
      data: { kind: "synthetic", promptTokens: 5, outputTokens: 2 },
    });
    expect(loadWorkloadPreset(write("own.json", json))).toEqual(yaml);
  });

  it("are refused with the path of what is wrong", () => {
    const file = write("wrong.yaml", `profile: { kind: constant, rate: -2 }\n${DATA}\nmaxRequest: 4\n`);
    expect(() => loadWorkloadPreset(file)).toThrow(
      /wrong\.yaml\.profile\.rate: got -2[\s\S]*wrong\.yaml\.maxRequest: got an unknown key/,
    );
    expect(() => loadWorkloadPreset("./missing.yaml")).toThrow(DataFileError);
    expect(() => loadWorkloadPreset(write("broken.yaml", "profile: {"))).toThrow(DataFileError);
  });
});
