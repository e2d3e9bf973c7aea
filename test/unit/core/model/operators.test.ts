import { describe, expect, it } from "vitest";
import type { ModelArchitecture } from "../../../../src/core/model/modelArchitecture.js";
import { type Operator, operatorBytes, type TokenShapes } from "../../../../src/core/model/operator.js";
import { linearOperators, operators } from "../../../../src/core/model/operators.js";
import { activeParameterCount } from "../../../../src/core/model/weights.js";
import { builtIn, builtInModels } from "./builtInModels.js";

const DTYPES = { weightDtype: "bf16", kvDtype: "bf16" } as const;
const SAMPLING = { sortsLogits: false };

/** A step of some prefill chunks and decodes, every request sampled, no padding. */
function mixedStep(chunks: readonly (readonly [newTokens: number, context: number])[], decodes: number[]): TokenShapes {
  const numTokens = chunks.reduce((sum, [newTokens]) => sum + newTokens, decodes.length);
  return {
    numTokens,
    numUnpaddedTokens: numTokens,
    numSampledTokens: chunks.length + decodes.length,
    prefillChunks: chunks.map(([newTokens, contextTokens]) => ({ newTokens, contextTokens })),
    decodeContextTokens: decodes,
  };
}

const STEP = mixedStep(
  [
    [512, 0],
    [100, 4096],
  ],
  [5000, 17, 800],
);

function list(architecture: ModelArchitecture, tensorParallelSize = 1, tokens: TokenShapes = STEP): Operator[] {
  return operators(architecture, { tensorParallelSize }, DTYPES, SAMPLING, tokens);
}

function total(found: readonly Operator[], value: (operator: Operator) => number): number {
  return found.reduce((sum, operator) => sum + operator.count * value(operator), 0);
}

/** Expanding the latents of cached tokens computes tokens anew that another step computed. */
const isMatrixProduct = (operator: Operator) =>
  operator.dims.category.endsWith("gemm") && operator.name !== "context_kv_b_proj";
const isAttention = (operator: Operator) => operator.dims.category.startsWith("attention");

describe("operators", () => {
  it("are, for Llama-3.1-8B on one GPU, the kernels of its layers by name", () => {
    const found = list(builtIn("meta-llama/Llama-3.1-8B"));
    expect(found.map(({ name, count }) => `${name} ${count}`)).toEqual([
      "embedding 1",
      "input_norm 32",
      "qkv_proj 32",
      "rope 32",
      "attention_prefill 32",
      "attention_decode 32",
      "o_proj 32",
      "post_attention_norm 32",
      "gate_up_proj 32",
      "silu_mul 32",
      "down_proj 32",
      "final_norm 1",
      "lm_head 1",
      "sample 1",
    ]);
  });

  it("add collectives with TP, experts with MoE, head norms with Qwen3, two norms and sliding attention with gemma-2", () => {
    const names = (id: string, tp: number) => list(builtIn(id), tp).map((operator) => operator.name);
    expect(names("mistralai/Mixtral-8x7B-v0.1", 2)).toEqual(
      expect.arrayContaining([
        "embedding_all_reduce",
        "attention_all_reduce",
        "router",
        "router_topk",
        "fused_experts",
        "mlp_all_reduce",
        "logits_all_gather",
      ]),
    );
    expect(names("mistralai/Mixtral-8x7B-v0.1", 2)).not.toContain("gate_up_proj");
    expect(names("Qwen/Qwen3-8B", 1)).toContain("qk_norm");
    expect(names("google/gemma-2-9b", 1)).toEqual(
      expect.arrayContaining([
        "attention_prefill",
        "attention_prefill_sliding",
        "attention_decode_sliding",
        "attention_output_norm",
        "mlp_output_norm",
      ]),
    );
  });

  it.each(builtInModels.map((model) => [model.id, model.architecture] as const))(
    "of %s have unique names, finite figures and matrix FLOPs of 2 × active parameters × tokens",
    (_, architecture) => {
      const found = list(architecture);
      expect(new Set(found.map((operator) => operator.name)).size).toBe(found.length);
      for (const operator of found) {
        const figures = [operator.flops, operatorBytes(operator), operator.count, ...operator.inputShape];
        expect(
          figures.every((figure) => Number.isFinite(figure) && figure >= 0),
          operator.name,
        ).toBe(true);
        expect(operatorBytes(operator), operator.name).toBeGreaterThan(0);
      }
      const products = found.filter((operator) => isMatrixProduct(operator) && operator.name !== "lm_head");
      const { hiddenSize, vocabSize, tiesWordEmbeddings } = architecture;
      const tables = (tiesWordEmbeddings ? 1 : 2) * vocabSize * hiddenSize;
      const expected = 2 * (activeParameterCount(architecture) - tables) * STEP.numUnpaddedTokens;
      // Norms and biases are parameters without products.
      expect(total(products, (operator) => operator.flops) / expected).toBeGreaterThan(0.999);
      expect(total(products, (operator) => operator.flops)).toBeLessThanOrEqual(expected);
    },
  );

  it.each(["meta-llama/Llama-3.1-8B", "mistralai/Mixtral-8x7B-v0.1", "google/gemma-2-27b", "Qwen/Qwen3-30B-A3B"])(
    "of %s do on all TP ranks together what one GPU does alone",
    (id) => {
      const architecture = builtIn(id);
      const replicated = (operator: Operator) => operator.name === "router";
      const sharded = (operator: Operator) =>
        (isMatrixProduct(operator) || isAttention(operator)) && !replicated(operator);
      const whole = list(architecture).filter(sharded);
      for (const tp of [2, 4]) {
        const shard = list(architecture, tp).filter(sharded);
        const values = ["flops", "weightBytes", "kvReadBytes", "kvWriteBytes"] as const;
        for (const value of values) {
          expect(tp * total(shard, (operator) => operator[value])).toBeCloseTo(
            total(whole, (operator) => operator[value]),
            -2,
          );
        }
      }
    },
  );

  it("replicate KV heads, not shrink them, once there are more GPUs than heads", () => {
    const architecture = builtIn("Qwen/Qwen3-30B-A3B");
    const kvRead = (tp: number) => total(list(architecture, tp), (operator) => operator.kvReadBytes);
    expect(kvRead(4)).toBe(kvRead(1) / 4);
    expect(kvRead(8)).toBe(kvRead(4));
  });

  it("never get cheaper with more tokens or longer contexts", () => {
    for (const id of ["meta-llama/Llama-3.1-8B", "mistralai/Mixtral-8x7B-v0.1", "google/gemma-2-9b"]) {
      const architecture = builtIn(id);
      const steps = [
        mixedStep([[256, 0]], [100, 200]),
        mixedStep([[257, 0]], [100, 200]),
        mixedStep([[257, 64]], [100, 200]),
        mixedStep([[257, 64]], [101, 5000]),
        mixedStep([[257, 64]], [101, 5000, 1]),
      ].map((tokens) => list(architecture, 1, tokens));
      for (let i = 1; i < steps.length; i++) {
        for (const value of [(operator: Operator) => operator.flops, operatorBytes]) {
          expect(total(steps[i] ?? [], value)).toBeGreaterThan(total(steps[i - 1] ?? [], value));
        }
      }
    }
  });

  it("count the attention of a prefill causally and its KV once", () => {
    const found = list(builtIn("meta-llama/Llama-3.1-8B"), 1, mixedStep([[100, 50]], []));
    const prefill = found.find((operator) => operator.name === "attention_prefill");
    expect(prefill?.flops).toBe(4 * 32 * 128 * (100 * 50 + (100 * 101) / 2));
    expect(prefill?.kvReadBytes).toBe(150 * 4096);
    expect(prefill?.kvWriteBytes).toBe(100 * 4096);
    expect(found.some((operator) => operator.name === "attention_decode")).toBe(false);
  });

  it("touch k experts for one token and nearly all for many, by the unpadded count", () => {
    const architecture = builtIn("Qwen/Qwen3-30B-A3B");
    const expertBytes = 3 * 2048 * 768 * 2;
    const touched = (numTokens: number, numUnpaddedTokens: number) => {
      const tokens = { numTokens, numUnpaddedTokens, numSampledTokens: 1 };
      const found = linearOperators(architecture, { tensorParallelSize: 1 }, DTYPES, SAMPLING, tokens);
      return (found.find((operator) => operator.name === "fused_experts")?.weightBytes ?? 0) / expertBytes;
    };
    expect(touched(8, 1)).toBeCloseTo(8, 9);
    expect(touched(2, 2)).toBeCloseTo(128 * (1 - (1 - 8 / 128) ** 2), 9);
    expect(touched(2048, 2048)).toBeCloseTo(128, 6);
  });

  it("compute logits for sampled positions only, and nothing at all for an empty step", () => {
    const architecture = builtIn("meta-llama/Llama-3.1-8B");
    const lmHead = list(architecture).find((operator) => operator.name === "lm_head");
    expect(lmHead?.dims).toMatchObject({ m: 5, k: 4096, n: 128_256, weightDtype: "bf16" });
    const unsampled = list(architecture, 1, { ...mixedStep([[64, 0]], []), numSampledTokens: 0 });
    expect(unsampled.at(-1)?.name).toBe("final_norm");
    expect(list(architecture, 1, mixedStep([], []))).toEqual([]);
  });

  it("keep LM head and router in 16 bits when linear layers are quantised", () => {
    const found = operators(
      builtIn("Qwen/Qwen3-30B-A3B"),
      { tensorParallelSize: 1 },
      { weightDtype: "fp8", kvDtype: "fp8" },
      SAMPLING,
      STEP,
    );
    const dtypes = found.flatMap(({ name, dims }) => ("weightDtype" in dims ? [[name, dims.weightDtype]] : []));
    expect(Object.fromEntries(dtypes)).toEqual({
      qkv_proj: "fp8",
      o_proj: "fp8",
      router: "bf16",
      fused_experts: "fp8",
      lm_head: "bf16",
    });
  });
});
