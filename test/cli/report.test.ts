import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { ReportPage, ReportSection } from "../../src/report/reportPage.js";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { ensureBuilt } from "./builtCli.js";
import { callCli, expectRefusal } from "./cliCall.js";

const { folder, write } = temporaryFolder();
const RUN = ["run", "--max-requests", "40", "--rate", "12"];
const rows = Array.from({ length: 20 }, (_, i) => `${i / 10},${100 + 7 * i},${5 + i}\n`);
const trace = write("trace.csv", `arrival_s,prompt_tokens,output_tokens\n${rows.join("")}`);

beforeAll(ensureBuilt);

function dataOf(file: string): ReportPage {
  const [, data] = /<script type="application\/json" id="report-data">(.*?)<\/script>/s.exec(
    readFileSync(file, "utf8"),
  )!;
  return JSON.parse(data!) as ReportPage;
}

function sectionOf<Kind extends ReportSection["kind"]>(page: ReportPage, kind: Kind) {
  return page.sections.find((one): one is Extract<ReportSection, { kind: Kind }> => one.kind === kind)!;
}

describe("--report", () => {
  test("of a run says what it wrote, and leaves stdout as it is without it", async () => {
    const file = join(folder, "made", "run.html");
    const plain = await callCli(...RUN, "--format", "json");
    const { exitCode, stdout, stderr } = await callCli(...RUN, "--format", "json", "--report", file);
    expect([exitCode, stdout]).toEqual([0, plain.stdout]);
    expect(stderr).toMatch(/wrote \S*run\.html \(\d+ kB\)\n/);
    expect(statSync(file).size).toBeLessThan(2e6);
  });

  test("of a run holds the run's own numbers, and what was tried beside them", async () => {
    const file = join(folder, "numbers.html");
    const { stdout } = await callCli(...RUN, "--format", "json", "--report", file);
    const { config, schema: _schema, ...numbers } = JSON.parse(stdout);
    const page = dataOf(file);
    expect(page.title).toBe("meta-llama/Llama-3.1-8B-Instruct on 1 × H100");
    expect(sectionOf(page, "run-answer").summary).toEqual(numbers);
    expect(sectionOf(page, "config").config).toEqual(config);
    const { advice } = sectionOf(page, "advice");
    expect(advice.trials.length).toBeGreaterThanOrEqual(3);
    const { knob, metrics } = advice.trials.find(({ knob }) => knob.flag.startsWith("--tensor-parallel-size"))!;
    const again = await callCli(...RUN, "--format", "json", ...knob.flag.split(" "));
    expect(JSON.parse(again.stdout).e2eMs.p99).toBe(metrics?.e2eP99Ms);
  });

  test("of a replay tries the changes on the replayed requests", async () => {
    const file = join(folder, "replay.html");
    const { exitCode } = await callCli("replay", trace, "--report", file);
    expect(exitCode).toBe(0);
    const { trials, base } = sectionOf(dataOf(file), "advice").advice;
    expect(base.completed).toBe(20);
    for (const { metrics } of trials) expect(metrics?.completed).toBe(20);
  });

  test("makes equal bytes of equal runs", async () => {
    const files = ["one.html", "two.html"].map((name) => join(folder, name));
    for (const file of files) await callCli(...RUN, "--report", file);
    const [one, two] = files.map((file) => readFileSync(file, "utf8"));
    expect(one).toBe(two);
  });

  test("refuses a place that cannot be written before the run", async () => {
    mkdirSync(join(folder, "taken"));
    await expectRefusal([[...RUN, "--report", ""], 2, ["--report", "must name a file"]]);
    await expectRefusal([[...RUN, "--report", join(trace, "x.html")], 3, ["cannot be written", "is a file"]]);
    await expectRefusal([[...RUN, "--report", join(folder, "taken")], 3, ["taken", "exists and is no file"]]);
    await expectRefusal([["evaluate", trace, "--report", " "], 2, ["--report", "must name a file"]]);
  });

  test("goes with no comparison of step models, which has no page", async () => {
    const { exitCode, stderr } = await callCli("evaluate", folder, "--compare", "--report", join(folder, "c.html"));
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/compare.*report/s);
  });
});
