import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RunTask, SweepTask } from "../../../../src/core/analysis/sweep/sweepTask.js";
import { RunJournal } from "../../../../src/io/sweep/runJournal.js";
import type { SweepManifest } from "../../../../src/io/sweep/sweepManifest.js";
import { temporaryFolder } from "../../../reference/temporaryFile.js";
import { smallConfig, someRun } from "../../core/analysis/sweep/smallSweep.js";

const { folder: root } = temporaryFolder();
const run = someRun();
const manifest: SweepManifest = {
  version: "1",
  sweep: { config: { gpu: "H100", seed: 1 }, grid: { axes: [] } },
  inputs: { "a.csv": "00" },
};

let numFolders = 0;
const newFolder = () => join(root, `out${numFolders++}`);

function task(seed: number, changes: Partial<SweepTask> = {}): SweepTask {
  const config = { ...smallConfig(), seed };
  return { config, benchmarkIndex: 0, point: { label: "p", index: 0 }, repetition: 0, ...changes };
}

/** Runs tasks on a journal; says which of them were simulated. */
async function runOn(folder: string, tasks: readonly SweepTask[], simulate: RunTask = async () => ({ run })) {
  const journal = RunJournal.open(folder, manifest, false);
  const simulated: number[] = [];
  const runTask = journal.keeping((one) => {
    simulated.push(one.config.seed);
    return simulate(one);
  });
  const outcomes = await Promise.all(tasks.map(runTask));
  journal.close();
  return { simulated, outcomes, numFound: journal.numFound };
}

describe("a journal of runs", () => {
  it("gives back what was run before, to the last bit, and runs the rest", async () => {
    const folder = newFolder();
    await runOn(folder, [task(1), task(2)]);
    const again = await runOn(folder, [task(1), task(3), task(2)]);
    expect(again).toMatchObject({ simulated: [3], numFound: 2 });
    expect(again.outcomes[0]).toEqual({ run });
  });

  it("knows a run by its config and place, not by what it is called", async () => {
    const folder = newFolder();
    await runOn(folder, [task(1)]);
    const renamed = task(1, { point: { label: "q", index: 7 } });
    const elsewhere = task(1, { benchmarkIndex: 3 });
    expect((await runOn(folder, [renamed, elsewhere])).simulated).toEqual([1]);
  });

  it("forgets the line that a kill cut short, and nothing else", async () => {
    const folder = newFolder();
    await runOn(folder, [task(1), task(2)]);
    const file = join(folder, "runs.jsonl");
    const whole = readFileSync(file, "utf8");
    writeFileSync(file, whole.slice(0, -40));
    expect((await runOn(folder, [task(1), task(2)])).simulated).toEqual([2]);
    expect(readFileSync(file, "utf8")).toBe(whole);
  });

  it("names the row of a line that nobody can read", async () => {
    const folder = newFolder();
    await runOn(folder, [task(1)]);
    appendFileSync(join(folder, "runs.jsonl"), "not json\n");
    expect(() => RunJournal.open(folder, manifest, false)).toThrow(/runs\.jsonl, row 2: .*--restart/);
  });

  it("keeps failures of the config, and tries again what may have passed", async () => {
    const folder = newFolder();
    const codes = ["capacity", "config", "data-file", "invariant"] as const;
    const tasks = codes.map((_, i) => task(i));
    await runOn(folder, tasks, async ({ config }) => ({ failure: { code: codes[config.seed]!, message: "why" } }));
    const again = await runOn(folder, tasks);
    expect(again.simulated).toEqual([2, 3]);
    expect(again.outcomes[0]?.failure).toEqual({ code: "capacity", message: "why" });
  });
});

describe("the run directory of another sweep", () => {
  const sweep = { config: { gpu: "L4", seed: 1 }, grid: { axes: [] } };
  const other: SweepManifest = { version: "2", sweep, inputs: { "a.csv": "11" } };

  it("is refused with every difference, and what to do", async () => {
    const folder = newFolder();
    await runOn(folder, [task(1)]);
    const open = () => RunJournal.open(folder, other, false);
    for (const part of [
      /version: got "2"; it was "1"/,
      /gpu: got "L4"; it was "H100"/,
      /a\.csv: got "11"; it was "00"/,
      /--restart/,
    ]) {
      expect(open).toThrow(part);
    }
    expect((await runOn(folder, [task(1)])).simulated).toEqual([]);
  });

  it("may be taken while it holds no run", () => {
    const folder = newFolder();
    RunJournal.open(folder, manifest, false).close();
    RunJournal.open(folder, other, false).close();
    expect(JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")).version).toBe("2");
  });

  it("is emptied of what a sweep wrote when it is started over, and of nothing else", async () => {
    const folder = newFolder();
    await runOn(folder, [task(1)]);
    for (const name of ["notes.txt", "guidellm-0-x.json", "sweep.json"]) writeFileSync(join(folder, name), "x");
    const journal = RunJournal.open(folder, other, true);
    journal.close();
    expect(journal.numFound).toBe(0);
    const left = ["notes.txt", "guidellm-0-x.json", "sweep.json"].map((name) => existsSync(join(folder, name)));
    expect(left).toEqual([true, false, false]);
  });

  it("is not begun where a file of that name lies that no sweep wrote", () => {
    for (const name of ["sweep.json", "runs.jsonl", "summary.json"]) {
      const theirs = join(root, `with-${name}`);
      mkdirSync(theirs);
      writeFileSync(join(theirs, name), "x");
      expect(() => RunJournal.open(theirs, manifest, true)).toThrow(`holds a ${name} that no sweep wrote`);
      expect(readdirSync(theirs)).toEqual([name]);
    }
  });
});
