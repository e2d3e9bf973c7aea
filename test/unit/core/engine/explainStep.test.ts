import { describe, expect, it } from "vitest";
import { engineConfigSchema, samplingConfigSchema } from "../../../../src/core/config/engineConfig.js";
import { createServer } from "../../../../src/core/engine/createServer.js";
import { explainStep, parseBatch } from "../../../../src/core/engine/explainStep.js";
import { ConfigError } from "../../../../src/core/errors/simulationError.js";
import { loadDeployment } from "../../../../src/io/loadDeployment.js";
import { stepUs } from "../../../property/stepModelArbitraries.js";

const deployment = loadDeployment({ model: "meta-llama/Llama-3.1-8B", gpu: "H100" });

function serverWith(fields: object = {}) {
  return createServer(deployment, engineConfigSchema.parse(fields), samplingConfigSchema.parse({}));
}

/** The problems of a batch, one per line. */
function complaint(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "no complaint";
}

describe("a batch as text", () => {
  it("is rows of decodes and prefills, the context 0 where it is left out", () => {
    expect(parseBatch("decode:32@1024, prefill:512@100,prefill:7")).toEqual([
      { kind: "decode", count: 32, contextTokens: 1024 },
      { kind: "prefill", count: 512, contextTokens: 100 },
      { kind: "prefill", count: 7, contextTokens: 0 },
    ]);
  });

  it.each(["", "decode", "decode:", "decode:0@5", "decode:-1@5", "decode:1.5@5", "decode:1@-5", "prompt:5@5", "1@5"])(
    "%j is refused",
    (text) => {
      expect(complaint(() => parseBatch(text))).toContain(JSON.stringify(text));
    },
  );

  it("names every wrong part", () => {
    expect(complaint(() => parseBatch("x:1,decode:1@1,decode:0@1")).split("\n").length).toBe(2);
  });
});

describe("an explained step", () => {
  const rows = { decodeContexts: new Array<number>(32).fill(1024), chunks: [{ newTokens: 512, contextTokens: 64 }] };

  it("is the price the engine pays, taken apart", () => {
    const server = serverWith();
    const report = explainStep(server, parseBatch("decode:32@1024,prefill:512@64"));
    expect(report.gpuUs / stepUs(server.stepModel, rows)).toBeCloseTo(1, 9);
    expect(report.components.reduce((sum, { us }) => sum + us, 0) / report.gpuUs).toBeCloseTo(1, 9);
    expect(report).toMatchObject({ schema: "roofserve.step/1", numTokens: 544, paddedTokens: 544 });
    expect(new Set(report.components.map(({ name }) => name)).size).toBe(report.components.length);
  });

  it("counts the model's FLOPs: two per parameter and token, and attention", () => {
    const { components } = explainStep(serverWith(), parseBatch("prefill:512@0"));
    const flops = components.reduce((sum, component) => sum + component.flops, 0);
    const linear = 2 * 512 * 32 * (4096 * (4096 + 2 * 1024 + 4096) + 3 * 4096 * 14_336) + 2 * 4096 * 128_256;
    const attention = 4 * 32 * 4096 * ((512 * 513) / 2);
    expect(flops).toBe(linear + attention);
  });

  it("hides the engine's CPU behind the GPU when scheduling is asynchronous, and only then", () => {
    const batch = parseBatch("decode:64@2000");
    const hidden = explainStep(serverWith(), batch);
    expect(hidden.cpuUs).toBe(0);
    expect(hidden.stepUs).toBe(hidden.gpuUs);
    const open = explainStep(serverWith({ asyncScheduling: false }), batch);
    expect(open.cpuUs).toBeGreaterThan(0);
    expect(open.stepUs).toBe(open.gpuUs + open.cpuUs);
  });

  it("says how each price was found", () => {
    const components = new Map(
      explainStep(serverWith(), parseBatch("decode:32@1024")).components.map((part) => [part.name, part]),
    );
    expect(components.get("qkv_proj")).toMatchObject({ lookup: "interpolated", lnDistance: 0 });
    // The vocabulary of 128,256 is wider than any product behind the fit.
    expect(components.get("lm_head")).toMatchObject({ lookup: "extrapolated" });
    expect(components.get("lm_head")?.lnDistance).toBeCloseTo(Math.log(128_256 / 65_536), 9);
    expect(components.get("kernel_gaps")).toMatchObject({ category: "wait", boundBy: "wait", lookup: null });
    expect(components.get("sample")).toMatchObject({ lookup: "formula", lnDistance: 0 });
  });

  it("pads decodes to the next CUDA graph, and nothing beyond the largest", () => {
    expect(explainStep(serverWith(), parseBatch("decode:33@100")).paddedTokens).toBe(40);
    expect(explainStep(serverWith(), parseBatch("prefill:513@0")).paddedTokens).toBe(513);
  });
});

describe("a step the server could not schedule", () => {
  it.each([
    ["decode:11@5", "11 requests; at most 10 (--max-num-seqs)"],
    ["prefill:101@5", "101 tokens; at most 100 (--max-num-batched-tokens)"],
    ["decode:1@1000", "1001 tokens in one sequence; at most 1000 (--max-model-len)"],
    ["decode:99999999@0", "99999999 requests; at most 10"],
  ])("%s", (text, message) => {
    const server = serverWith({ maxNumSeqs: 10, maxNumBatchedTokens: 100, maxModelLen: 1000 });
    expect(complaint(() => explainStep(server, parseBatch(text)))).toContain(message);
  });

  it("names every limit it breaks", () => {
    const server = serverWith({ maxNumSeqs: 10, maxNumBatchedTokens: 100, maxModelLen: 1000 });
    expect(complaint(() => explainStep(server, parseBatch("decode:200@2000"))).split("\n").length).toBe(3);
  });
});
