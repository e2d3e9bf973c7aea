import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { engineConfigSchema } from "../../../../src/core/config/engineConfig.js";
import { pricingConfigSchema } from "../../../../src/core/config/pricingConfig.js";
import { calibrationText, readCalibration, writeCalibration } from "../../../../src/io/calibration/calibrationFile.js";
import { loadDeployment } from "../../../../src/io/loadDeployment.js";
import { someCalibration } from "../../../reference/someCalibration.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";

const { folder, write } = temporaryFolder();
const calibration = someCalibration();

describe("a calibration file", () => {
  it("reads back as it was written, and is written in the same bytes", () => {
    const file = join(folder, "mine.json");
    writeCalibration(file, calibration);
    expect(readCalibration(file)).toEqual(calibration);
    expect(readFileSync(file, "utf8")).toBe(calibrationText(calibration));
  });

  it.each<[string, unknown, RegExp]>([
    ["another schema", { schema: "roofserve.run/1" }, /column schema: got "roofserve\.run\/1".*calibrate --out/],
    ["a negative front end", withTerm("frontEndUs", { value: -1 }), /terms\.frontEndUs\.value: got -1; must be ≥ 0/],
    ["an absurd one", withTerm("frontEndUs", { value: 1e9 }), /terms\.frontEndUs\.value: got 1000000000; must be ≤/],
    ["a missing term", withTerm("stepUs", undefined), /terms\.stepUs/],
    ["an unknown key", { ...calibration, extra: 1 }, /extra/],
  ])("is refused with %s", (_what, content, message) => {
    const file = write("bad.json", JSON.stringify(content));
    expect(() => readCalibration(file)).toThrow(message);
  });

  it("is refused when it is missing, truncated or no JSON", () => {
    expect(() => readCalibration(join(folder, "none.json"))).toThrow(/no such file.*calibrate --out/);
    const half = write("half.json", calibrationText(calibration).slice(0, 200));
    expect(() => readCalibration(half)).toThrow(/half\.json, row \d+: is not valid JSON/);
  });
});

describe("a deployment with a calibration", () => {
  const file = write("c.json", calibrationText(calibration));
  const load = (vllmVersion: string, pricing: object = {}) =>
    loadDeployment({
      model: calibration.model,
      gpu: "H100",
      pricing: pricingConfigSchema.parse({ calibration: file, ...pricing }),
      engine: engineConfigSchema.parse({ vllmVersion }),
    });

  it("has its constants, and says so in the notes", () => {
    const { constants, notes } = load("0.15");
    expect(constants?.overheads?.frontEndUs).toBe(9000);
    expect(constants?.waits?.fixedUs).toBe(600);
    expect(notes?.()).toEqual(['calibrated with "mine", fitted on my run of 2026-01-20']);
  });

  it("takes the server's scheduling into account", () => {
    expect(load("0.11.0").constants?.waits?.fixedUs).toBe(0);
    expect(load("0.11.0").notes?.().join("\n")).toMatch(
      /of vLLM 0\.15\.1, here 0\.11\.0 is simulated: it may be stale; roofserve calibrate --check[\s\S]*time per step is left out/,
    );
  });

  it("gives a baseline the front end only", () => {
    expect(load("0.15", { stepModel: "roofline-v2" }).constants?.waits).toEqual({});
  });
});

function withTerm(term: string, change: object | undefined): unknown {
  const terms: Record<string, object | undefined> = { ...calibration.terms };
  terms[term] = change === undefined ? undefined : { ...terms[term], ...change };
  return { ...calibration, terms };
}
