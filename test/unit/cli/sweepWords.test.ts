import { describe, expect, it } from "vitest";
import { sweptRequests, sweptServer } from "../../../src/cli/sweepWords.js";
import { workloadName } from "../../../src/cli/workloadOptions.js";
import { runSweep } from "../../../src/core/analysis/sweep/runSweep.js";
import type { SweepRun } from "../../../src/core/analysis/sweep/sweepRun.js";
import type { RunTask } from "../../../src/core/analysis/sweep/sweepTask.js";
import { smallRates, smallSweep, someRun } from "../core/analysis/sweep/smallSweep.js";

describe("the server of a sweep in words", () => {
  it.each<[{ gpu?: string; size?: number }, string]>([
    [{ gpu: "H100", size: 2 }, "L on 2 × H100, vLLM 0.11.0"],
    [{ size: 1 }, "L on several GPUs at TP 1, vLLM 0.11.0"],
    [{ gpu: "H100" }, "L on H100 at several TP sizes, vLLM 0.11.0"],
    [{}, "L on several GPUs at several TP sizes, vLLM 0.11.0"],
  ])("%j", ({ gpu, size }, words) => {
    const engine = { vllmVersion: "0.11.0", ...(size === undefined ? {} : { tensorParallelSize: size }) };
    expect(sweptServer({ config: { model: "L", ...(gpu === undefined ? {} : { gpu }), engine } })).toBe(words);
  });
});

describe("the requests of a sweep in words", () => {
  const throughput = { requestsPerS: 2, promptTokensPerS: 2000, outputTokensPerS: 200 };
  const requests = { ...someRun().requests, submitted: 2000 };
  const wordsOf = async (...changes: Partial<SweepRun>[]) => {
    const sweep = smallSweep({
      series: [{ label: "", varied: {}, configs: smallRates(...changes.map((_, i) => i + 1)) }],
    });
    const run: RunTask = async ({ point }) => ({ run: someRun({ throughput, requests, ...changes[point.index] }) });
    return sweptRequests({ points: await runSweep(sweep, run) });
  };

  it("are prompts and outputs", async () => {
    expect(await wordsOf({})).toBe("prompts about 1,000 and outputs about 100 tokens, 2,000 requests a point");
  });

  it("are sessions, whose prompts grow with the conversation", async () => {
    expect(await wordsOf({ turnsPerStart: 10 })).toBe(
      "sessions of about 10 requests, prompts with the conversation so far about 1,000 tokens, outputs about 100, 2,000 requests a point",
    );
    const shorter = { turnsPerStart: 10, throughput: { ...throughput, promptTokensPerS: 1600 } };
    expect(await wordsOf({ turnsPerStart: 10 }, shorter)).toContain(
      "about 800 to 1,000 tokens (less where the end of the run cuts more sessions off), outputs",
    );
  });
});

describe("the name of a workload", () => {
  it.each<[Record<string, unknown>, string | null]>([
    [{}, "chat"],
    [{ workload: "agent" }, "agent"],
    [{ workload: "some/where/ours.yaml" }, "ours.yaml"],
    [{ workload: "agent", data: "prompt_tokens=1,output_tokens=2" }, null],
    [{ data: "package.json" }, "package.json"],
    [{ config: "run.json" }, null],
    [{ config: "run.json", workload: "agent" }, "agent"],
    [{ vary: ["tp=1,2"] }, "chat"],
    [{ vary: ["tp=1,2", "workload=chat,rag"] }, null],
  ])("of %j is %s", (argv, name) => {
    expect(workloadName(argv)).toBe(name);
  });
});
