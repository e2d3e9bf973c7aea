import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, test } from "vitest";
import { temporaryFolder } from "../reference/temporaryFile.js";
import { type BadInput, callCli, expectRefusal } from "./cliCall.js";

const { folder } = temporaryFolder();
const SMALL = ["--max-model-len", "2048", "--data", "prompt_tokens=100,output_tokens=12", "--max-requests", "60"];
const place = (name: string) => join(folder, name);

beforeAll(async () => {
  const run = (name: string, ...flags: string[]) =>
    callCli(
      "run",
      ...SMALL,
      "--rate",
      "40",
      "--out",
      place(name),
      "--step-log",
      join(place(name), "steps.jsonl"),
      ...flags,
    );
  await run("base");
  await run("few", "--max-num-seqs", "2");
  await run("seed", "--seed", "7");
  await run("gpu", "-g", "L40S", "--max-num-seqs", "1024", "--max-num-batched-tokens", "8192");
  cpSync(place("base"), place("copy"), { recursive: true });
});

const smallSweep = (name: string, ...flags: string[]) =>
  callCli("sweep", ...SMALL, "--workers", "1", "--out", place(name), ...flags);

async function diffedSweeps(a: string, b: string) {
  const { exitCode, stdout } = await callCli("diff", place(a), place(b));
  expect(exitCode).toBe(0);
  const json = JSON.parse((await callCli("diff", place(a), place(b), "--format", "json")).stdout);
  expect(json).toMatchObject({ schema: "roofserve.diff/1", kind: "sweep" });
  return { stdout, json };
}

async function diffed(a: string, b: string) {
  const { exitCode, stdout, stderr } = await callCli("diff", place(a), place(b));
  expect(exitCode).toBe(0);
  const json = JSON.parse((await callCli("diff", place(a), place(b), "--format", "json")).stdout);
  expect(json).toMatchObject({ schema: "roofserve.diff/1", kind: "run" });
  return { stdout, stderr, json };
}

describe("roofserve diff", () => {
  it("says in one line that a run is the same as itself", async () => {
    const { stdout, json } = await diffed("base", "copy");
    expect(stdout).toBe("A and B are identical: no config key, no number and no request differs.\n");
    expect(json.isIdentical).toBe(true);
  });

  it("says in one line that a key made no difference, and which key", async () => {
    await callCli("run", ...SMALL, "--rate", "40", "--long-prefill-token-threshold", "1500", "--out", place("ample"));
    const { stdout, json } = await diffed("base", "ample");
    expect(stdout).toMatch(/^No number and no request differs; 1 config key differs\.\n/);
    expect(stdout).toMatch(/^engine\.longPrefillTokenThreshold +0 +1500$/m);
    expect(stdout.split("\n")).toHaveLength(8);
    expect(json).toMatchObject({ isUnchanged: true, isIdentical: false });
  });

  it("says in a sentence what a planted change did, then where", async () => {
    const { stdout, stderr, json } = await diffed("base", "few");
    expect(stdout).toMatch(
      /^B takes \d+\.\d times as long as A end to end \(mean .* → .*\), (all|more than all|\d+ %) of that in waiting for the first step; but /,
    );
    expect(stdout).toMatch(
      /^.*; but p99 gap between tokens is \d+\.\d % shorter and p99 ITL is .* shorter; whether .*; \d config keys? differs?\.\n/,
    );
    expect(stdout).toMatch(/^engine\.maxNumSeqs +\d+ +2$/m);
    expect(stdout).toMatch(
      /^no intervals: requests waited for a place in a step, .*; --seeds 10 tries other requests$/m,
    );
    expect(stdout).toMatch(/^60 requests, each beside itself$/m);
    expect(stdout).toMatch(/^E2E by arrival, .*\n {2}slower \|[▁▂▃▄▅▆▇█ ]+\| at most /m);
    expect(stdout).toMatch(/^by kind of step /m);
    expect(stderr).toBe("");
    expect(json.paired).toMatchObject({ numPairs: 60, numOnlyA: 0, numOnlyB: 0 });
    expect(json.gpu.source).toBe("step-log");
  });

  it("names the component that a slower GPU lengthens most", async () => {
    const { stdout } = await diffed("base", "gpu");
    expect(stdout).toMatch(/; steps take \d+\.\d times as long, \d+ % of that in \w+ \(\+\d+ %\); 1 config key/);
    expect((await diffed("gpu", "base")).stdout).toMatch(
      /^B is \d+\.\d % faster .*; steps are .* % shorter, .* of that in \w+ \(−\d+ %\); 1 config key/,
    );
  });

  it("does not pair the requests of another seed, and calls the change chance", async () => {
    const { stdout, stderr, json } = await diffed("base", "seed");
    expect(stdout).toContain("requests are not paired: the seeds differ, so the requests do");
    expect(stderr).toBe("note: only the seed differs: all changes are chance\n");
    expect(json.paired).toBeNull();
  });

  it("compares summaries alone, of --out and of --format json", async () => {
    const { stdout } = await callCli("run", ...SMALL, "--rate", "40", "--format", "json");
    writeFileSync(place("printed.json"), stdout);
    expect((await diffed("printed.json", join("base", "summary.json"))).json.isIdentical).toBe(true);
    const alone = await diffed("printed.json", "few");
    expect(alone.json.notPaired).toContain("no requests.jsonl with");
    expect(alone.json.gpu.source).toBe("summary");
    expect(alone.stderr).toBe("note: only B has a step log, so it is not used\n");
  });

  it("compares two sweeps point by point, and says what one of them lacks", async () => {
    await smallSweep("sweep-a", "--seeds", "2", "--rates", "20,40");
    await smallSweep("sweep-b", "--seeds", "2", "--rates", "20,40,60", "-g", "L40S");
    const { stdout, json } = await diffedSweeps("sweep-a", "sweep-b");
    expect(stdout).toMatch(/^Of 2 points in both, B is slower end to end at 2, most at poisson \d+\/s \(\+/);
    expect(stdout).toMatch(/^gpu +H100 +L40S$/m);
    expect(stdout).toMatch(/^poisson 40\/s +\d+\.\d +\d+\.\d( +\+\d+\.\d\*?)+/m);
    expect(json).toMatchObject({ onlyA: [], onlyB: [{ label: "poisson 60/s" }], isIdentical: false });
    expect(stdout).toMatch(/^only B measured poisson 60\/s$/m);
    const same = await diffedSweeps("sweep-a", join("sweep-a", "sweep.json"));
    expect(same.stdout).toBe("A and B are identical: no config key, no point and no number differs.\n");
    await expectRefusal([
      ["diff", place("base"), place("sweep-a")],
      3,
      ["sweep.json: is a sweep", "summary.json a run"],
    ]);
  });

  it("claims nothing of two sweeps that have one seed a side and other requests, and names the seeds", async () => {
    await smallSweep("seed-42", "--rates", "20,40");
    await smallSweep("seed-7", "--rates", "20,40", "--seed", "7");
    const { stdout, json } = await diffedSweeps("seed-42", "seed-7");
    expect(stdout).toMatch(
      /^The mean end-to-end latency differs by .* at the 2 points in both; the seeds differ, so the requests do; one seed a side does not tell a change from chance: .*; no other config key differs\.\n/,
    );
    expect(stdout).not.toMatch(/faster|slower/);
    expect(stdout).toMatch(/^seeds +\[42\] +\[7\]$/m);
    expect(json.config).toEqual([{ path: "seeds", before: [42], after: [7] }]);
  });

  it("says what one seed tells where both sweeps have it, what a null stands for, and sums up lone points", async () => {
    await smallSweep("one", "--rates", "20,40");
    await smallSweep("few-sweep", "--rates", "40", "--max-num-seqs", "2", "--async-scheduling");
    await smallSweep("grid", "--rates", "20,40,60", "--vary", "gpu=H100,L40S");
    const { stdout } = await diffedSweeps("one", "few-sweep");
    expect(stdout).toMatch(
      /^Of 1 point in both, B is slower end to end at 1, most at .*; both were sent the same requests \(seed 42\), so the config makes every change; whether other requests would show it, one seed does not tell /,
    );
    expect(stdout).toMatch(/^engine\.maxNumSeqs +default \(1024\) +2$/m);
    expect(stdout).toMatch(/^engine\.asyncScheduling +default \(true\) +true$/m);
    const apart = (await diffedSweeps("one", "grid")).stdout;
    expect(apart).toMatch(/^A and B have no point in common; /);
    expect(apart).toMatch(/^only A measured poisson 20\/s and poisson 40\/s$/m);
    expect(apart).toMatch(/^only B measured 6 points: gpu H100, L40S; poisson 20, 40, 60\/s$/m);
  });

  it("says that two runs hardly differ, without a table of zeros", async () => {
    const run = (name: string, ...flags: string[]) =>
      callCli("run", ...SMALL, "--rate", "1", "--out", place(name), ...flags);
    await run("calm");
    await run("calmer", "--num-gpu-blocks-override", "2000", "--max-num-batched-tokens", "1025");
    const { stdout } = await diffed("calm", "calmer");
    expect(stdout).toMatch(/^A and B hardly differ: B takes (about )?as long as A end to end \(mean [^;]*\); 2 config/);
    expect(stdout).toMatch(/^engine\.numGpuBlocksOverride +default \(\d+\) +2000$/m);
    expect(stdout).toMatch(/^µs of the mean step: all changes together are less than 0\.1 % of it$/m);
    expect(stdout).not.toMatch(/[-−]0\.0+\b/);
  });

  it("simulates both sides with the same seeds, and gives every number an interval; the same bytes twice", async () => {
    const args = ["diff", place("base"), place("few"), "--seeds", "6"];
    const { exitCode, stdout, stderr } = await callCli(...args);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^B takes .* \(mean .* over 6 seeds, 95 % interval of the change \+.* to \+.*\)/);
    expect(stdout).toMatch(/^means over 6 seeds, the same for both sides \(42 to 5042\)$/m);
    expect(stdout).toMatch(/^e2eMs\.mean +\d+.* \+\S+ to \+\S+ +\+\S+ +worse$/m);
    expect((await callCli(...args)).stdout).toBe(stdout);
    const { overSeeds, metrics } = JSON.parse((await callCli(...args, "--format", "json")).stdout);
    expect(overSeeds).toMatchObject({ seeds: [42, 1042, 2042, 3042, 4042, 5042], intervalLevel: 0.95 });
    expect(Object.keys(overSeeds.metrics[0]).sort().join(" ")).toBe(
      "a b better change group interval name relative verdict",
    );
    expect(overSeeds.metrics.map(({ name }: { name: string }) => name)).toEqual(
      metrics.map(({ name }: { name: string }) => name),
    );
  });

  it("says when a result is not what its config gives now", async () => {
    const other = broken("other", "summary.json", (text) => text.replace(/"steps": (\d+)/, '"steps": 1$1'));
    rmSync(join(other, "steps.jsonl"));
    const { exitCode, stderr } = await callCli("diff", other, place("few"), "--seeds", "2");
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`note: ${other} is not what its config gives now with its seed 42`);
    expect(stderr).not.toContain(`${place("few")} is not`);
  });

  it("compares two plans: whether the answer is another, what was asked, and every server", async () => {
    const plan = async (name: string, ttftMs: number, ...flags: string[]) => {
      const asked = ["--slo", `p90 ttft<=${ttftMs}ms`, "--tp", "1", "--target-rate", "150", "--seeds", "2"];
      const { stdout } = await callCli("plan", ...SMALL, ...asked, ...flags, "--format", "json");
      writeFileSync(place(name), stdout);
    };
    await plan("plan-a.json", 200, "--vary", "gpu=H100,A10G");
    await plan("plan-b.json", 60, "--vary", "gpu=H100");
    const { exitCode, stdout } = await callCli("diff", place("plan-a.json"), place("plan-b.json"));
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^(The answer is another: A takes |A and B take the same server, ).*; the highest rate of 1 of /,
    );
    expect(stdout).toMatch(/^sloMs\.p90 TTFT +200 +60$/m);
    expect(stdout).toMatch(/^\S*H100\S*( +[−+]?\d+\.?\d*[* ]?){11}$/m);
    expect(stdout).toMatch(/^only A considered .*A10G/m);
    mkdirSync(place("plan-a"));
    copyFileSync(place("plan-a.json"), join(place("plan-a"), "plan.json"));
    const same = await callCli("diff", place("plan-a"), place("plan-a.json"));
    expect(same.stdout).toBe("A and B are identical: no question, no server and no number differs.\n");
    await expectRefusal([
      ["diff", place("plan-a.json"), place("base")],
      3,
      ["summary.json: is a run", "plan-a.json a plan"],
    ]);
    await expectRefusal([
      ["diff", place("plan-a.json"), place("plan-b.json"), "--seeds", "3"],
      2,
      ["--seeds: got 3; leave it out: it simulates two runs anew; a plan has --seeds of its own"],
    ]);
  });

  it("keeps its keys", async () => {
    const { json } = await diffed("base", "few");
    const keys = (value: object) => Object.keys(value).sort().join(" ");
    expect(keys(json)).toBe(
      "a b config gpu isIdentical isUnchanged kind metrics notPaired notes overSeeds paired schema version",
    );
    expect(keys(json.metrics[0])).toBe("a b better change group name relative");
    expect(keys(json.paired)).toBe("e2eParts intervalLevel latencies noInterval numOnlyA numOnlyB numPairs timeline");
    expect(keys(json.paired.timeline.e2eMs)).toBe("binS meanMs numRequests startS window");
    expect(keys(json.gpu)).toBe(
      "bounds byLengthUs byNumberUs components gpuUs idleStepUs idleUs phases source stepUs steps",
    );
    expect(keys(json.gpu.components[0])).toBe("aStepUs aUs bStepUs bUs changeStepUs changeUs name shareOfChange");
  });

  it("prints the same bytes twice", async () => {
    expect((await diffed("base", "few")).stdout).toBe((await diffed("base", "few")).stdout);
  });
});

/** A copy of the base run with one of its files changed. */
function broken(name: string, file: string, change: (text: string) => string): string {
  cpSync(place("base"), place(name), { recursive: true });
  const changed = join(place(name), file);
  writeFileSync(changed, change(readFileSync(changed, "utf8")));
  return place(name);
}

describe("roofserve diff refuses", () => {
  const refused = (path: string, ...says: string[]): BadInput => [["diff", place("base"), path], 3, says];

  test.each([[["diff"]], [["diff", "one"]]])("%j: too little to compare", async (args) =>
    expectRefusal([args, 2, ["needs another argument; add --help"]]),
  );

  it("what is missing or of another kind, and says what it is", async () => {
    mkdirSync(place("empty"));
    await expectRefusal(
      refused(place("nowhere"), "nowhere: no such file or folder; give a folder that run, sweep or plan --out"),
    );
    await expectRefusal(refused(place("empty"), "empty: holds no summary.json, no sweep.json and no plan.json"));
    await expectRefusal(refused(join(place("base"), "steps.jsonl"), "is a step log; put it beside summary.json"));
    await expectRefusal(refused(join(place("base"), "requests.jsonl"), "requests.jsonl", "row 2", "JSON lines"));
    await expectRefusal(
      refused(
        join(place("base"), "guidellm.json"),
        "column schema",
        "must be one of roofserve.run/1, roofserve.sweep/1",
      ),
    );
    await expectRefusal(refused(join(place("base"), "trace.json"), "column schema: got nothing"));
  });

  it("results of another version, and broken ones, with file, row and column", async () => {
    const later = broken("later", "summary.json", (text) => text.replace("roofserve.run/1", "roofserve.run/2"));
    await expectRefusal(refused(later, 'got "roofserve.run/2"', "result of another version of roofserve"));
    const cut = broken("cut", "summary.json", (text) => text.slice(0, 500));
    await expectRefusal(refused(cut, "summary.json, row", "is the file truncated?"));
    const odd = broken("odd", "summary.json", (text) => text.replace(/"steps": \d+/, '"steps": "many"'));
    await expectRefusal(refused(odd, 'column engine.steps: got "many"; must be'));
    const row = broken("row", "requests.jsonl", (text) => text.replace(/"ttft_ms":[\d.]+/, '"ttft_ms":null'));
    await expectRefusal(refused(row, "requests.jsonl, row 1, column status", "without ttft_ms"));
    const log = broken("log", "steps.jsonl", (text) => `${text.split("\n").slice(0, 4).join("\n")}\n`);
    await expectRefusal(refused(log, "steps.jsonl: is cut off after 3 steps"));
  });

  it("--seeds of what no seed makes, and too few of them", async () => {
    const trace = join(folder, "trace.csv");
    writeFileSync(trace, "arrival_s,prompt_tokens,output_tokens\n0,100,5\n1,100,5\n");
    await callCli("replay", trace, "--max-model-len", "2048", "--out", place("traced"));
    const traced = ["diff", place("traced"), place("traced"), "--seeds", "3"];
    await expectRefusal([traced, 2, ["--seeds: got a trace", "requests are the same with every seed"]]);
    await expectRefusal([["diff", place("base"), place("few"), "--seeds", "1"], 2, ["--seeds: got 1; must be ≥ 2"]]);
  });

  it("a step log of another run", async () => {
    cpSync(place("base"), place("mixed"), { recursive: true });
    copyFileSync(join(place("gpu"), "steps.jsonl"), join(place("mixed"), "steps.jsonl"));
    await expectRefusal(refused(place("mixed"), "is the step log of another run than summary.json beside it"));
  });

  it("no result of before single gaps were counted", async () => {
    const before = (text: string) => JSON.stringify({ ...JSON.parse(text), gapMs: undefined });
    broken("before", "summary.json", before);
    const { metrics } = (await diffed("before", "base")).json;
    expect(metrics.find(({ name }: { name: string }) => name === "gapMs.p99")).toMatchObject({ a: null, change: null });
  });

  it("nothing where only the requests are gone", async () => {
    cpSync(place("base"), place("bare"), { recursive: true });
    rmSync(join(place("bare"), "requests.jsonl"));
    expect((await diffed("base", "bare")).json).toMatchObject({ isIdentical: true, paired: null });
  });
});
