import { describe, expect, it } from "vitest";
import { activeParameterCount, parameterCount, weightBytesPerGpu } from "../../../../src/core/model/weights.js";
import { builtIn, builtInModels } from "./builtInModels.js";

/** Totals as the model cards and checkpoint indexes publish them. */
const PUBLISHED: readonly (readonly [id: string, total: number])[] = [
  ["meta-llama/Llama-2-7b-hf", 6.738e9],
  ["meta-llama/Llama-2-13b-hf", 13.016e9],
  ["meta-llama/Llama-2-70b-hf", 68.98e9],
  ["codellama/CodeLlama-34b-hf", 33.74e9],
  ["meta-llama/Llama-3.1-8B", 8.03e9],
  ["meta-llama/Llama-3.1-70B", 70.55e9],
  ["meta-llama/Llama-3.1-405B", 405.85e9],
  ["meta-llama/Llama-3.2-1B", 1.2358e9],
  ["meta-llama/Llama-3.2-3B", 3.2127e9],
  ["mistralai/Mistral-7B-v0.1", 7.24e9],
  ["mistralai/Mistral-7B-v0.3", 7.25e9],
  ["mistralai/Mistral-Nemo-Base-2407", 12.25e9],
  ["mistralai/Mixtral-8x7B-v0.1", 46.7e9],
  ["mistralai/Mixtral-8x22B-v0.1", 140.6e9],
  ["Qwen/Qwen2.5-7B", 7.616e9],
  ["Qwen/Qwen2.5-32B", 32.76e9],
  ["Qwen/Qwen2.5-72B", 72.7e9],
  ["Qwen/Qwen3-8B", 8.19e9],
  ["Qwen/Qwen3-14B", 14.77e9],
  ["Qwen/Qwen3-32B", 32.76e9],
  ["Qwen/Qwen3-30B-A3B", 30.53e9],
  ["Qwen/Qwen3-235B-A22B", 235.09e9],
  ["01-ai/Yi-34B", 34.39e9],
  ["google/gemma-2-9b", 9.24e9],
  ["google/gemma-2-27b", 27.23e9],
  ["microsoft/phi-4", 14.66e9],
  // Without the multi-token prediction layer, whose 14 B the checkpoint holds besides.
  ["deepseek-ai/DeepSeek-V3", 671.03e9],
  ["deepseek-ai/DeepSeek-V2-Lite", 15.71e9],
  ["moonshotai/Kimi-K2-Instruct", 1026.4e9],
];

describe("parameterCount", () => {
  it.each(PUBLISHED)("of %s is the published %d within 0.1 %", (id, total) => {
    expect(Math.abs(parameterCount(builtIn(id)) / total - 1)).toBeLessThan(1e-3);
  });

  it("has a published count for every built-in base model", () => {
    const bases = builtInModels.filter((model) => model.id === model.baseId).map((model) => model.id);
    expect(new Set(PUBLISHED.map(([id]) => id))).toEqual(new Set(bases));
  });

  it.each([
    ["mistralai/Mixtral-8x7B-v0.1", 12.9e9],
    ["mistralai/Mixtral-8x22B-v0.1", 39.1e9],
    ["Qwen/Qwen3-30B-A3B", 3.35e9],
    ["Qwen/Qwen3-235B-A22B", 22.19e9],
    ["deepseek-ai/DeepSeek-V3", 37.6e9],
    ["moonshotai/Kimi-K2-Instruct", 32.9e9],
  ])("active parameters of %s are the published %d within 1 %", (id, active) => {
    expect(Math.abs(activeParameterCount(builtIn(id)) / active - 1)).toBeLessThan(0.01);
  });

  it("of a dense model are all active", () => {
    const architecture = builtIn("google/gemma-2-9b");
    expect(activeParameterCount(architecture)).toBe(parameterCount(architecture));
  });
});

describe("weightBytesPerGpu", () => {
  it("of CodeLlama-34b is what vLLM reports after loading: 62.8571 GiB", () => {
    const gib = weightBytesPerGpu(builtIn("codellama/CodeLlama-34b-hf"), 1, "bf16") / 2 ** 30;
    expect(Math.abs(gib - 62.8571)).toBeLessThan(0.001);
  });

  it("shrinks with TP, but to no less than an equal share", () => {
    for (const { architecture } of builtInModels.filter((model) => model.id !== "microsoft/phi-4")) {
      const whole = weightBytesPerGpu(architecture, 1, "bf16");
      for (const tp of [2, 4]) {
        const shard = weightBytesPerGpu(architecture, tp, "bf16");
        expect(shard).toBeLessThan(whole);
        expect(shard).toBeGreaterThanOrEqual(whole / tp);
        expect(shard).toBeLessThan((whole / tp) * 1.05);
      }
    }
  });

  it("falls with quantisation, embeddings staying 16-bit", () => {
    const architecture = builtIn("meta-llama/Llama-3.1-8B");
    const bf16 = weightBytesPerGpu(architecture, 1, "bf16");
    const fp8 = weightBytesPerGpu(architecture, 1, "fp8");
    const int4 = weightBytesPerGpu(architecture, 1, "int4");
    const linearElements = bf16 - fp8;
    expect(linearElements).toBe(32 * (4096 * (4096 + 2 * 1024 + 4096) + 3 * 4096 * 14336));
    expect(bf16 - int4).toBeCloseTo(linearElements * (2 - 0.5 - 2.5 / 128), 0);
  });
});
