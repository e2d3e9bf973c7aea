import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { LoggedStep } from "../../../../src/core/analysis/stepLog.js";
import { parseConfig } from "../../../../src/core/config/parseConfig.js";
import { runConfigSchema } from "../../../../src/core/engine/runConfig.js";
import { simulate } from "../../../../src/core/engine/simulate.js";
import { DataFileError } from "../../../../src/core/errors/simulationError.js";
import { loadDeployment } from "../../../../src/io/loadDeployment.js";
import { AtomicFile } from "../../../../src/io/results/atomicFile.js";
import { openStepLog } from "../../../../src/io/results/readStepLog.js";
import { StepLogWriter } from "../../../../src/io/results/stepLogWriter.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";
import { BUSY, loggedRun } from "../../core/analysis/loggedRun.js";

const { folder, write } = temporaryFolder();
const config = parseConfig(runConfigSchema, BUSY, "");
const deployment = loadDeployment(config);

/** Runs the busy workload with its log in a file. */
function writeLog(file: string): void {
  const log = new StepLogWriter(file);
  log.during(() => simulate(deployment, config, { observer: log }));
}

async function readLog(file: string) {
  const { header, steps } = await openStepLog(file);
  const read: LoggedStep[] = [];
  for await (const step of steps) read.push(step);
  return { header, steps: read };
}

/** The error that reading a log ends with. */
async function complaint(file: string): Promise<string> {
  try {
    await readLog(file);
  } catch (error) {
    if (error instanceof DataFileError) return error.message;
    throw error;
  }
  return "no complaint";
}

describe("a step log on disk", () => {
  const file = join(folder, "made", "on demand", "steps.jsonl");
  writeLog(file);
  const text = readFileSync(file, "utf8");
  const [first, ...lines] = text.trimEnd().split("\n") as [string, ...string[]];
  const last = lines.pop() as string;

  it("reads back as the steps of the run: header, one line per step, and how many they were", async () => {
    const { header, steps, summary } = loggedRun(BUSY);
    expect(await readLog(file)).toEqual({ header, steps });
    expect(lines).toHaveLength(summary.engine.steps);
    expect(JSON.parse(first).schema).toBe("roofserve.step-log/2");
    expect(JSON.parse(last)).toEqual({ end: { steps: lines.length } });
  });

  it("has the same bytes again, no float noise, and leaves nothing temporary", () => {
    const again = join(folder, "again.jsonl");
    writeLog(again);
    expect(readFileSync(again, "utf8")).toBe(text);
    expect(text).not.toMatch(/NaN|\d\.\d{7}/);
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("is the old file, untouched, when the run fails", () => {
    const kept = write("kept.jsonl", "old");
    const log = new StepLogWriter(kept);
    const failing = () =>
      log.during(() => {
        simulate(deployment, config, { observer: log });
        throw new Error("out of ideas");
      });
    expect(failing).toThrowError("out of ideas");
    expect(readFileSync(kept, "utf8")).toBe("old");
    expect(existsSync(`${kept}.${process.pid}.tmp`)).toBe(false);
  });

  it("is never made when the run does not even start", () => {
    const none = join(folder, "none.jsonl");
    expect(() =>
      new StepLogWriter(none).during(() => {
        throw new Error("no server");
      }),
    ).toThrowError("no server");
    expect(existsSync(none)).toBe(false);
  });

  it("cut off in its last line says so, with its row", async () => {
    const cut = write("cut.jsonl", text.slice(0, -last.length - 20));
    const message = await complaint(cut);
    expect(message).toContain(`${cut}, row ${lines.length + 1}:`);
    expect(message).toContain("the last line is cut off, so the file is truncated");
    const broken = write("broken.jsonl", [first, lines[0]!.slice(0, 40), lines[1]].join("\n"));
    expect(await complaint(broken)).toMatch(/broken\.jsonl, row 2: is not valid JSON/);
  });

  it.each([0, 1, 7])("cut off between two lines, after %i steps, says so too", async (numSteps) => {
    const cut = write("short.jsonl", `${[first, ...lines.slice(0, numSteps)].join("\n")}\n`);
    const steps = `${numSteps} ${numSteps === 1 ? "step" : "steps"}`;
    expect(await complaint(cut)).toBe(
      `${cut}: is cut off after ${steps}: the closing line is missing; write or copy the log again`,
    );
  });

  it("with lines missing, or after its closing one, is refused", async () => {
    const gap = write("gap.jsonl", `${[first, ...lines.slice(1), last].join("\n")}\n`);
    expect(await complaint(gap)).toContain(`the run had ${lines.length} steps, ${lines.length - 1} stand above`);
    const twice = write("twice.jsonl", `${text}${lines[0]}\n`);
    expect(await complaint(twice)).toContain(`row ${lines.length + 3}: nothing may follow the closing line`);
  });

  it.each<[string, (step: Record<string, unknown>) => object, string]>([
    ["a component too few", (step) => ({ ...step, us: [1, 2] }), "column us: got [1,2]; must hold 15 numbers"],
    ["an unknown letter", (step) => ({ ...step, bound: String(step.bound).replace("l", "?") }), "column bound"],
    ["time running backwards", (step) => ({ ...step, endUs: 0 }), "column endUs: got 0; must be ≥ startUs"],
    ["a fraction above 1", (step) => ({ ...step, kvFraction: 1.5 }), "column kvFraction: got 1.5; must be ≤ 1"],
    ["a missing number", ({ running: _, ...step }) => step, "column running: got nothing; must be a number"],
    ["a distance of nothing", (step) => ({ ...step, lookup: "i".repeat(15) }), "column lnDistance"],
  ])("with %s is refused with file, row and column", async (_what, change, says) => {
    const bad = write("bad.jsonl", `${first}\n${lines[0]}\n${JSON.stringify(change(JSON.parse(lines[1]!)))}\n`);
    const message = await complaint(bad);
    expect(message).toContain(`${bad}, row 3, column`);
    expect(message).toContain(says);
  });

  it.each([
    ["", "is empty; give a file that run or replay wrote with --step-log"],
    ['{"schema":"roofserve.run/1"}', 'column schema: got "roofserve.run/1"; must be roofserve.step-log/2'],
    ['{"arrival_s":1}', "row 1"],
    ["arrival_s,prompt_tokens\n1,2\n", "row 1: is not valid JSON"],
  ])("is not just any file: %j", async (content, says) => {
    expect(await complaint(write("other.jsonl", content))).toContain(says);
  });

  it("must exist, and be a file", async () => {
    expect(await complaint(join(folder, "nowhere.jsonl"))).toContain("no such file; give a file");
    expect(await complaint(folder)).toContain("is a folder, not a file");
  });

  it("tolerates keys of later versions", async () => {
    const end = JSON.stringify({ end: { steps: 1, novel: 1 } });
    const later = write("later.jsonl", `${first}\n${JSON.stringify({ ...JSON.parse(lines[0]!), novel: 1 })}\n${end}\n`);
    expect((await readLog(later)).steps).toHaveLength(1);
  });
});

describe("a file that appears whole or not at all", () => {
  it("is written in pieces larger than its buffer, in order", () => {
    const file = join(folder, "large.txt");
    const output = new AtomicFile(file);
    for (let i = 0; i < 3000; i++) output.write(`${i} ${"é".repeat(500)}\n`);
    expect(existsSync(file)).toBe(false);
    output.commit();
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    expect(lines.map((line) => Number.parseInt(line, 10))).toEqual(Array.from({ length: 3000 }, (_, i) => i));
  });

  it("is not put in the place of a folder", () => {
    const taken = join(folder, "taken");
    mkdirSync(taken);
    writeFileSync(join(taken, "inside"), "kept");
    expect(() => new AtomicFile(taken)).toThrowError(/taken: cannot be written: it exists and is no file/);
    expect(readFileSync(join(taken, "inside"), "utf8")).toBe("kept");
    expect(existsSync(`${taken}.${process.pid}.tmp`)).toBe(false);
  });
});
