import { describe, expect, it } from "vitest";
import {
  type EngineConfig,
  engineConfigSchema,
  type SamplingConfig,
  samplingConfigSchema,
} from "../../../../src/core/config/engineConfig.js";
import { resolveDtypes, resolveEngine, resolveSampling } from "../../../../src/core/engine/resolveEngine.js";
import { ConfigError } from "../../../../src/core/errors/simulationError.js";
import type { ModelArchitecture } from "../../../../src/core/model/modelArchitecture.js";
import { loadGpu, loadModel } from "../../../../src/io/catalog.js";
import { readSpecJson } from "../../../golden/specFile.js";

const llama = loadModel("meta-llama/Llama-3.1-8B");
const engine = (fields: Partial<EngineConfig> = {}): EngineConfig => engineConfigSchema.parse(fields);
const sampling = (fields: Partial<SamplingConfig> = {}): SamplingConfig => samplingConfigSchema.parse(fields);

function resolve(fields: Partial<EngineConfig> = {}, gpu = "H100", architecture = llama) {
  return resolveEngine(engine(fields), architecture, loadGpu(gpu));
}

function issuePaths(fields: Partial<EngineConfig>, gpu = "H100"): string[] {
  try {
    resolve(fields, gpu);
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.map(({ path }) => path);
    throw error;
  }
  return [];
}

describe("limits left to vLLM", () => {
  it.each(["H100", "H100-PCIe", "H200", "H800", "H20", "B200", "GB200"])("%s is of the large class", (gpu) => {
    expect(resolve({}, gpu)).toMatchObject({ maxNumBatchedTokens: 8192, maxNumSeqs: 1024 });
  });

  it.each(["A100-40", "A100-80", "L40S", "L4", "A10G", "RTX4090"])("%s is of the small class", (gpu) => {
    expect(resolve({}, gpu)).toMatchObject({ maxNumBatchedTokens: 2048, maxNumSeqs: 256 });
  });

  it("takes the model's length, and asynchronous scheduling from 0.14 on", () => {
    expect(resolve()).toMatchObject({ maxModelLen: 131_072, asyncScheduling: true });
    expect(resolve({ vllmVersion: "0.13" }).asyncScheduling).toBe(false);
    expect(resolve({ vllmVersion: "0.14" }).asyncScheduling).toBe(true);
    expect(resolve({ vllmVersion: "0.13", asyncScheduling: true }).asyncScheduling).toBe(true);
    expect(resolve({ asyncScheduling: false }).asyncScheduling).toBe(false);
  });

  it("raises the budget to a whole prompt when chunked prefill is off", () => {
    expect(resolve({ enableChunkedPrefill: false }).maxNumBatchedTokens).toBe(131_072);
    expect(resolve({ enableChunkedPrefill: false, maxModelLen: 4096 }).maxNumBatchedTokens).toBe(8192);
  });

  it("lowers the budget to what the sequences could ever fill, and the sequences to the budget", () => {
    expect(resolve({ maxNumSeqs: 2, maxModelLen: 1000 })).toMatchObject({ maxNumBatchedTokens: 2000, maxNumSeqs: 2 });
    expect(resolve({ maxNumBatchedTokens: 100 })).toMatchObject({ maxNumBatchedTokens: 100, maxNumSeqs: 100 });
    expect(resolve({ maxModelLen: 1 })).toMatchObject({ maxNumBatchedTokens: 1024, maxNumSeqs: 1024 });
  });

  it("keeps what is given, and leaves the given config alone", () => {
    const given = engine({ maxNumSeqs: 7, maxNumBatchedTokens: 70, maxModelLen: 700 });
    const before = JSON.stringify(given);
    expect(resolveEngine(given, llama, loadGpu("L4"))).toMatchObject({
      maxNumSeqs: 7,
      maxNumBatchedTokens: 70,
      maxModelLen: 700,
    });
    expect(JSON.stringify(given)).toBe(before);
  });

  it("raises the block size of latent attention to what its kernels ask for, whatever was said", () => {
    const latent = loadModel("deepseek-ai/DeepSeek-V2-Lite");
    expect(resolve({}, "H200", latent).blockSize).toBe(64);
    expect(resolve({ blockSize: 32 }, "B200", latent).blockSize).toBe(64);
    expect(resolve({ blockSize: 128 }, "H200", latent).blockSize).toBe(128);
    expect(resolve({}, "A100-80", latent).blockSize).toBe(16);
    expect(resolve({}, "H200").blockSize).toBe(16);
  });

  it("resolves a resolved config to itself", () => {
    for (const fields of [{}, { enableChunkedPrefill: false }, { maxNumSeqs: 3 }, { maxNumBatchedTokens: 64 }]) {
      const once = resolve(fields);
      expect(resolve(once)).toEqual(once);
    }
  });
});

describe("limits that do not fit each other", () => {
  it("names the budget when it is below the sequences", () => {
    expect(issuePaths({ maxNumSeqs: 100, maxNumBatchedTokens: 99 })).toEqual(["engine.maxNumBatchedTokens"]);
    expect(issuePaths({ maxNumSeqs: 100, maxNumBatchedTokens: 100 })).toEqual([]);
  });

  it("names the budget when it is below a whole prompt and chunked prefill is off", () => {
    const off = { enableChunkedPrefill: false, maxModelLen: 4096 };
    expect(issuePaths({ ...off, maxNumBatchedTokens: 4095 })).toEqual(["engine.maxNumBatchedTokens"]);
    expect(issuePaths({ ...off, maxNumBatchedTokens: 4096 })).toEqual([]);
  });

  it("names the length when the model has no such positions", () => {
    expect(issuePaths({ maxModelLen: 131_073 })).toEqual(["engine.maxModelLen"]);
  });

  it("lists all problems at once", () => {
    const bad = { enableChunkedPrefill: false, maxModelLen: 200_000, maxNumSeqs: 10, maxNumBatchedTokens: 5 };
    expect(issuePaths(bad).length).toBe(3);
  });
});

describe("dtypes", () => {
  const checkpoint = (weightDtype: ModelArchitecture["weightDtype"]): ModelArchitecture => ({ ...llama, weightDtype });
  it.each([
    ["bf16", {}, "bf16", "bf16"],
    ["fp16", {}, "fp16", "fp16"],
    ["bf16", { dtype: "fp16" }, "fp16", "fp16"],
    ["bf16", { quantization: "fp8" }, "fp8", "bf16"],
    ["bf16", { quantization: "awq" }, "int4", "bf16"],
    ["fp16", { quantization: "gptq" }, "int4", "fp16"],
    ["fp8", {}, "fp8", "bf16"],
    ["int4", {}, "int4", "bf16"],
    ["int4", { dtype: "fp16" }, "int4", "fp16"],
    ["bf16", { kvCacheDtype: "fp8" }, "bf16", "fp8"],
    ["fp8", { kvCacheDtype: "fp8" }, "fp8", "fp8"],
  ] as const)("a %s checkpoint with %o has %s weights and a %s KV cache", (dtype, fields, weightDtype, kvDtype) => {
    expect(resolveDtypes(engine(fields), checkpoint(dtype))).toEqual({ weightDtype, kvDtype });
  });
});

describe("sampling", () => {
  const withDefaults = (topP: number | null, topK: number | null): ModelArchitecture => ({
    ...llama,
    defaultSampling: { topP, topK },
  });
  it.each([
    ["nothing said, no defaults", sampling(), { ...llama, defaultSampling: null }, false],
    ["the model's top-p", sampling(), withDefaults(0.9, null), true],
    ["the model's top-k", sampling(), withDefaults(null, 20), true],
    ["top-p 1 said against the model's", sampling({ topP: 1 }), withDefaults(0.9, null), false],
    ["top-k off said against the model's", sampling({ topK: -1 }), withDefaults(null, 20), false],
    ["top-k 0 said", sampling({ topK: 0 }), withDefaults(null, 20), false],
    ["top-p below 1 said", sampling({ topP: 0.5 }), withDefaults(null, null), true],
    ["greedy, whatever else", sampling({ temperature: 0, topP: 0.5, topK: 4 }), withDefaults(0.9, 20), false],
    ["a temperature changes nothing else", sampling({ temperature: 0.7 }), withDefaults(0.9, null), true],
  ] as const)("%s", (_name, config, architecture, sortsLogits) => {
    expect(resolveSampling(config, architecture)).toEqual({ sortsLogits });
  });
});

const vectors = readSpecJson("vllm-scheduler/vectors.json") as {
  readonly defaults: Readonly<Record<string, { readonly B: number; readonly R: number }>>;
} | null;

describe.skipIf(vectors === null)("default limits of an API server (skipped when ../shared is absent)", () => {
  it.each([
    ["H100/H200/B200 server", ["H100", "H200", "B200"]],
    ["A100/L40S server", ["A100-40", "A100-80", "L40S"]],
  ])("%s", (key, gpus) => {
    const limits = vectors?.defaults[key];
    for (const gpu of gpus) {
      expect(resolve({}, gpu)).toMatchObject({ maxNumBatchedTokens: limits?.B, maxNumSeqs: limits?.R });
    }
  });
});
