import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  ConfigError,
  createServer,
  explainStep,
  loadDeployment,
  operators,
  parameterCount,
  parseBatch,
  parseConfig,
  requestSpec,
  runConfigSchema,
  simulate,
  simulateRun,
} from "../src/index.js";

/** A tour of the library, from one call to its parts. Everything here is public. */
describe("first steps", () => {
  it("simulates a run from a plain config", async () => {
    const { summary, records } = await simulateRun({
      model: "meta-llama/Llama-3.1-8B",
      gpu: "H100",
      workload: {
        profile: { kind: "poisson", rate: 4 },
        data: { kind: "synthetic", promptTokens: 512, outputTokens: 128 },
        maxRequests: 200,
      },
    });
    expect(records.length).toBe(200);
    expect(summary.requests).toMatchObject({ submitted: 200, completed: 200 });
    expect(summary.ttftMs.p99).toBeGreaterThan(summary.ttftMs.p50!);
    expect(summary.e2eMs.mean).toBeGreaterThan(summary.ttftMs.mean!);
  });

  it("does what the example in its documentation says", async () => {
    const source = readFileSync(new URL("../src/index.ts", import.meta.url), "utf8");
    const example = /@example\n((?: \* .*\n)+)/.exec(source)?.[1]?.replace(/^ \* /gm, "");
    expect(example).toContain("simulateRun(");
    const printed: unknown[] = [];
    const run = new Function("simulateRun", "console", `return (async () => {${example}})();`);
    await run(simulateRun, { log: (...values: unknown[]) => printed.push(...values) });
    expect(printed).toEqual([expect.any(Number), 200]);
  });

  it("gives the same bytes for the same config, and takes its own resolved config back", async () => {
    const config = {
      model: "mistralai/Mixtral-8x7B-v0.1",
      engine: { tensorParallelSize: 2 },
      workload: {
        profile: { kind: "concurrent", streams: 8 },
        data: { kind: "synthetic", promptTokens: 256, promptTokensStdev: 50, outputTokens: 32 },
        maxRequests: 40,
      },
      seed: 7,
    };
    const first = await simulateRun(config);
    const again = await simulateRun(config);
    const fromResult = await simulateRun(first.summary.config);
    expect(JSON.stringify(again)).toBe(JSON.stringify(first));
    expect(JSON.stringify(fromResult)).toBe(JSON.stringify(first));
    expect((await simulateRun({ ...config, seed: 8 })).summary.e2eMs).not.toEqual(first.summary.e2eMs);
  });

  it("says everything that is wrong with a config at once", async () => {
    const wrong = { gpu: "H1000", engine: { maxNumSeqs: 0, blokSize: 16 }, workload: {} };
    const error = await simulateRun(wrong).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).issues.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["engine.maxNumSeqs", "engine.blokSize", "workload.profile", "workload.data"]),
    );
  });

  it("runs requests of your own, and lets you watch each step", () => {
    const deployment = loadDeployment({ model: "Qwen/Qwen3-8B", gpu: "L40S" });
    const trace = { profile: { kind: "trace" }, data: { kind: "trace", path: "mine" } };
    const config = parseConfig(runConfigSchema, { model: "Qwen/Qwen3-8B", gpu: "L40S", workload: trace }, "");
    const specs = [0, 1, 2].map((turn) =>
      requestSpec({
        id: `turn-${turn}`,
        arrivalUs: turn * 2_000_000,
        // Equal content ids are equal tokens: each turn repeats the first 400 from the prefix cache.
        promptSegments: [
          { contentId: 1, numTokens: 400 },
          { contentId: 10 + turn, numTokens: 50 },
        ],
        maxTokens: 20,
        outputContentId: 100 + turn,
      }),
    );
    const stepsUs: number[] = [];
    const { records, summary } = simulate(deployment, config, {
      specs,
      observer: { onStep: (_step, startUs, endUs) => stepsUs.push(endUs - startUs) },
    });
    expect(records.map(({ numCachedTokens }) => numCachedTokens)).toEqual([0, 400, 400]);
    expect(stepsUs.length).toBe(summary.engine.steps);
  });

  it("takes one engine step apart", () => {
    const deployment = loadDeployment({ model: "meta-llama/Llama-3.1-8B", gpu: "H100" });
    const { engine, sampling } = parseConfig(runConfigSchema.pick({ engine: true, sampling: true }), {}, "");
    const server = createServer(deployment, engine, sampling);
    const report = explainStep(server, parseBatch("decode:32@1024,prefill:512@0"));
    expect(report.numTokens).toBe(544);
    expect(report.components.reduce((sum, { us }) => sum + us, 0)).toBeCloseTo(report.gpuUs, 6);
    expect(report.stepUs).toBeCloseTo(report.gpuUs + report.cpuUs, 6);
  });

  it("counts a model's parameters and FLOPs from one description", () => {
    const { architecture } = loadDeployment({ model: "meta-llama/Llama-3.1-8B", gpu: "H100" });
    expect(parameterCount(architecture) / 8.03e9).toBeCloseTo(1, 2);
    const dtypes = { weightDtype: "bf16", kvDtype: "bf16" } as const;
    const prefill = { numTokens: 1000, numUnpaddedTokens: 1000, numSampledTokens: 1, decodeContextTokens: [] };
    const list = operators(
      architecture,
      { tensorParallelSize: 1 },
      dtypes,
      { sortsLogits: false },
      {
        ...prefill,
        prefillChunks: [{ newTokens: 1000, contextTokens: 0 }],
      },
    );
    const flops = list.reduce((sum, operator) => sum + operator.flops * operator.count, 0);
    // Two FLOPs per parameter and token, embeddings not multiplied and logits of one token only, plus attention.
    expect(flops / (2 * 6.98e9 * 1000)).toBeCloseTo(1.02, 1);
  });
});
