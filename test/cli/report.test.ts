import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { ReportPage, ReportSection } from "../../src/report/reportPage.js";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { ensureBuilt } from "./builtCli.js";
import { callCli, expectRefusal } from "./cliCall.js";

const { folder, write } = temporaryFolder();
const RUN = ["run", "--max-requests", "40", "--rate", "12"];
const SMALL = ["--max-requests", "30", "--data", "prompt_tokens=100,output_tokens=5", "--max-model-len", "2048"];
const SWEEP = ["sweep", ...SMALL, "--rate", "2,8", "--seeds", "2"];
const PLAN = ["plan", ...SMALL, "--slo", "p90 ttft<=200ms", "--seeds", "2", "--vary", "gpu=H100,L4", "--tp", "1"];
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
    await expectRefusal([[...SWEEP, "--report", join(trace, "x.html")], 3, ["cannot be written", "is a file"]]);
    await expectRefusal([["sweep", trace, "--report", ""], 2, ["--report", "must name a file"]]);
    await expectRefusal([[...PLAN, "--report", join(folder, "taken")], 3, ["taken", "exists and is no file"]]);
    await expectRefusal([["evaluate", trace, "--report", " "], 2, ["--report", "must name a file"]]);
  });

  test("of a sweep and of a plan leaves stdout as it is without it, and has equal bytes however many workers", async () => {
    for (const [name, args] of Object.entries({ sweep: SWEEP, plan: PLAN })) {
      const files = ["1", "2"].map((workers) => join(folder, `${name}-${workers}.html`));
      const plain = await callCli(...args, "--format", "json");
      for (const [i, file] of files.entries()) {
        const asked = [...args, "--format", "json", "--workers", String(i + 1), "--report", file];
        const { exitCode, stdout, stderr } = await callCli(...asked);
        expect([exitCode, stdout]).toEqual([0, plain.stdout]);
        expect(stderr).toContain(`wrote ${file} (`);
        expect(statSync(file).size).toBeLessThan(2e6);
      }
      const [one, two] = files.map((file) => readFileSync(file, "utf8"));
      expect(one).toBe(two);
    }
  });

  test("of a sweep holds the sweep's own numbers", async () => {
    const file = join(folder, "sweep-numbers.html");
    const { stdout } = await callCli(...SWEEP, "--format", "json", "--report", file);
    const { points, saturation, config, grid } = JSON.parse(stdout);
    const page = dataOf(file);
    expect(sectionOf(page, "sweep-answer").servers[0]!.finding).toBe(saturation.series[0].finding);
    const p99s = points.map((point: { ttftMs: { p99: number } }) => point.ttftMs.p99);
    const plot = sectionOf(page, "load-curves").plots.find(({ title }) => title === "TTFT p99")!;
    expect(plot.values).toEqual([p99s]);
    expect(sectionOf(page, "config").config).toEqual({ config, grid });
  });

  test("of a plan that finds nothing says why, and the exit code stays", async () => {
    const file = join(folder, "no-plan.html");
    const { exitCode } = await callCli(
      "plan",
      ...SMALL,
      "-g",
      "L4",
      "--tp",
      "1",
      "--slo",
      "p50 itl<=1ms",
      "--report",
      file,
    );
    expect(exitCode).toBe(4);
    const { plans, infeasible } = sectionOf(dataOf(file), "plan-table");
    expect(plans).toEqual([]);
    expect(infeasible[0]!.reason).toContain("even one request at a time");
  });

  test("of a sweep refuses limits that it cannot hold points against, and limits without a report", async () => {
    const file = join(folder, "never.html");
    await expectRefusal([["sweep", "--slo", "ttft<=500ms"], 2, ["--slo", "statistics"]]);
    await expectRefusal([["sweep", "--slo", "ttft<=500ms", "--report", file], 2, ["--slo", "statistics"]]);
    await expectRefusal([["sweep", "--slo", "fast", "--report", file], 2, ["--slo", "p99 ttft<=500ms"]]);
    await expectRefusal([["sweep", trace, "--slo", "p99 ttft<=500ms", "--report", file], 2, ["--slo", "leave it out"]]);
    expect(existsSync(file)).toBe(false);
  });

  test("goes with no comparison of step models, which has no page", async () => {
    const { exitCode, stderr } = await callCli("evaluate", folder, "--compare", "--report", join(folder, "c.html"));
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/compare.*report/s);
  });
});
