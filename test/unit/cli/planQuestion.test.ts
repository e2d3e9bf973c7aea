import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import yargs from "yargs";
import { EXAMPLES, planCommand } from "../../../src/cli/commands/plan.js";
import { askedPlan } from "../../../src/cli/planQuestion.js";
import { temporaryFolder } from "../../reference/temporaryFile.js";

const { folder } = temporaryFolder();
const LINES = EXAMPLES.map(([line]) => line);

describe("the examples of plan --help", () => {
  beforeAll(() => {
    const price = { gpu: "H100", usdPerGpuHour: 2.5, source: "a test", date: "2026-11-26" };
    writeFileSync(join(folder, "ours.json"), JSON.stringify({ prices: [price] }));
  });

  it.each(LINES)("%s can be asked", (line) => {
    const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
    const args = words.slice(1).map((word) => (word === "ours.json" ? join(folder, word) : word));
    const parser = yargs(args)
      .parserConfiguration({ "parse-numbers": false, "dot-notation": false, "strip-aliased": true })
      .exitProcess(false);
    const argv = planCommand.builder(parser).strict().parseSync();
    const { series, question } = askedPlan(argv);
    expect(series.length).toBeGreaterThan(0);
    expect(question.slo.limits.length).toBeGreaterThan(0);
    expect(series.every(({ configs }) => configs.length === 1)).toBe(true);
  });
});
