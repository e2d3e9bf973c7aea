import { describe, expect, it } from "vitest";
import { kernelHandoversPerLayer } from "../../../../src/core/stepmodel/kernelHandovers.js";
import { loadModel } from "../../../../src/io/catalog.js";

/** Kernels outside the layers: embedding, final norm, LM head, sampling. */
const OUTSIDE_LAYERS = 4;

describe("kernelHandoversPerLayer", () => {
  it.each([
    // Two norms, QKV, RoPE, attention, output projection, gate-up, activation, down.
    ["meta-llama/Llama-3.1-8B", 32, 9],
    // The same with norms of queries and keys.
    ["Qwen/Qwen3-8B", 36, 10],
    // Router and its top-k in place of gate-up and activation; fused experts were measured as one.
    ["mistralai/Mixtral-8x7B-v0.1", 32, 9],
    // Two norms more, and alternating attention, of which each layer has one kind.
    ["google/gemma-2-9b", 42, 11],
  ] as const)("counts the kernels of one layer of %s", (model, layers, kernels) => {
    expect(kernelHandoversPerLayer(loadModel(model))).toBeCloseTo(kernels + OUTSIDE_LAYERS / layers, 9);
  });
});
