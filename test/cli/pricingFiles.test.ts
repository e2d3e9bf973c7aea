import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { runConfigSchema } from "../../src/core/engine/runConfig.js";
import { simulateRun } from "../../src/index.js";
import { calibrationText } from "../../src/io/calibration/calibrationFile.js";
import { someCalibration } from "../reference/someCalibration.js";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { experimentFolder } from "../unit/io/inferencePerf/inferencePerfFolder.js";
import { callCli } from "./cliCall.js";

const { folder, write } = temporaryFolder();
const calibration = someCalibration();
const text = calibrationText(calibration);
const file = write("server.json", text);
const sha256 = (content: string) => createHash("sha256").update(content).digest("hex");
const out = join(folder, "results");
const few = ["--profile", "constant", "--rate", "2", "--max-requests", "4"];
const runOut = () => callCli("run", "-m", calibration.model, ...few, "--calibration", file, "--out", out);
const changed = `${file} has changed since the result that this config is of`;

beforeEach(() => writeFileSync(file, text));

describe("a result of a run with a calibration", () => {
  it("states the calibration's SHA-256, and one without a calibration states none", async () => {
    const args = ["run", "-m", calibration.model, ...few, "--format", "json"];
    const { config } = JSON.parse((await callCli(...args, "--calibration", file)).stdout);
    expect(config.pricing).toMatchObject({ calibration: file, fileSha256: { [file]: sha256(text) } });
    expect(JSON.parse((await callCli(...args)).stdout).config.pricing).not.toHaveProperty("fileSha256");
  });

  it("replays in silence while the file is the same", async () => {
    await runOut();
    const { stderr, exitCode } = await callCli("replay", out);
    expect(exitCode).toBe(0);
    expect(stderr).not.toContain("has changed");
  });

  it("says in its replay that the file has changed, and states what was used instead", async () => {
    await runOut();
    const frontEndUs = { ...calibration.terms.frontEndUs, value: 5000 };
    const newer = calibrationText({ ...calibration, terms: { ...calibration.terms, frontEndUs } });
    writeFileSync(file, newer);
    const { stdout, stderr } = await callCli("replay", out, "--format", "json");
    expect(stderr).toContain(`note: ${changed}`);
    const { config, notes } = JSON.parse(stdout);
    expect(notes.join("\n")).toContain(changed);
    expect(config.pricing.fileSha256).toEqual({ [file]: sha256(newer) });
  });

  it("replays with another calibration without a word about the first", async () => {
    await runOut();
    const other = write("other.json", calibrationText({ ...calibration, name: "other" }));
    const { stdout, stderr } = await callCli("replay", out, "--calibration", other, "--format", "json");
    expect(stderr).not.toContain("has changed");
    expect(Object.keys(JSON.parse(stdout).config.pricing.fileSha256)).toEqual([other]);
  });

  it("states it from a program, too", async () => {
    const { config } = JSON.parse((await callCli("run", "-m", calibration.model, ...few, "--format", "json")).stdout);
    const pricing = { ...config.pricing, calibration: file };
    const { summary } = await simulateRun({ ...runConfigSchema.parse(config), pricing });
    expect(summary.config.pricing.fileSha256).toEqual({ [file]: sha256(text) });
  });
});

describe("an evaluation", () => {
  const evaluate = (...args: string[]) =>
    callCli("evaluate", experimentFolder(), "--model", "meta-llama/Llama-2-7b-hf", ...args);

  it("says in its table and in its JSON what priced the steps", async () => {
    const args = ["--calibration", file, "--toggle-hypotheses", "H5"];
    expect((await evaluate(...args)).stdout).toMatch(
      new RegExp(`^priced by additive without H5, calibration ${file}\n\n`),
    );
    const { pricing } = JSON.parse((await evaluate(...args, "--format", "json")).stdout);
    expect(pricing).toMatchObject({ toggleHypotheses: "H5", fileSha256: { [file]: sha256(text) } });
  });

  it("says nothing of the plain additive model", async () => {
    expect((await evaluate()).stdout).not.toContain("priced by");
  });
});
