import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../../src/core/errors/simulationError.js";
import { parseHfConfig } from "../../../../src/core/model/parseHfConfig.js";
import { parameterCount } from "../../../../src/core/model/weights.js";
import { referenceFolder } from "./builtInModels.js";

const LLAMA = {
  model_type: "llama",
  hidden_size: 4096,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  intermediate_size: 14_336,
  vocab_size: 128_256,
  max_position_embeddings: 131_072,
};
const MOE = { ...LLAMA, model_type: "qwen3_moe", num_experts: 64, num_experts_per_tok: 8, moe_intermediate_size: 768 };

function issuesOf(json: unknown): readonly (readonly [path: string, received: string, allowed: string])[] {
  try {
    parseHfConfig(json, "x", "c.json");
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map(({ path, received, allowed }) => [path, received, allowed]);
  }
  return [];
}

/** DeepSeek-V2-Lite. */
const DEEPSEEK = {
  model_type: "deepseek_v2",
  hidden_size: 2048,
  num_hidden_layers: 27,
  num_attention_heads: 16,
  num_key_value_heads: 16,
  q_lora_rank: null,
  kv_lora_rank: 512,
  qk_nope_head_dim: 128,
  qk_rope_head_dim: 64,
  v_head_dim: 128,
  vocab_size: 102_400,
  max_position_embeddings: 163_840,
  intermediate_size: 10_944,
  n_routed_experts: 64,
  n_shared_experts: 2,
  num_experts_per_tok: 6,
  moe_intermediate_size: 1408,
  first_k_dense_replace: 1,
};

const parse = (config: object) => parseHfConfig(config, "x", "c.json");

describe("parseHfConfig", () => {
  it.each([
    ["a string for a number", { hidden_size: "4096" }, "c.json.hidden_size", '"4096"'],
    ["a missing key", { num_hidden_layers: undefined }, "c.json.num_hidden_layers", "nothing"],
    ["zero", { num_attention_heads: 0 }, "c.json.num_attention_heads", "0"],
    ["a negative", { vocab_size: -1 }, "c.json.vocab_size", "-1"],
    ["a fraction", { intermediate_size: 1.5 }, "c.json.intermediate_size", "1.5"],
    ["NaN", { hidden_size: Number.NaN }, "c.json.hidden_size", "NaN"],
    ["an absurd size", { num_hidden_layers: 1e12 }, "c.json.num_hidden_layers", "1000000000000"],
    ["KV heads that do not divide", { num_key_value_heads: 5 }, "c.json.num_key_value_heads", "5"],
    ["no MLP size", { intermediate_size: null }, "c.json.intermediate_size", "null"],
    ["a head size that is no integer", { hidden_size: 4100 }, "c.json.hidden_size", "4100"],
    ["layer types of wrong length", { layer_types: ["full_attention"] }, "c.json.layer_types", '["full_attention"]'],
    ["an unknown dtype", { torch_dtype: "int7" }, "c.json.torch_dtype", '"int7"'],
    ["an unknown architecture", { model_type: "nonesuch" }, "c.json.model_type", "nonesuch"],
    ["latent attention", { kv_lora_rank: 512 }, "c.json.kv_lora_rank", "512"],
    ["linear attention", { full_attention_interval: 4 }, "c.json.full_attention_interval", "4"],
    ["4-bit floats", { quantization_config: { quant_method: "mxfp4" } }, "c.json.quantization_config", "mxfp4"],
    [
      "an unknown quantisation",
      { quantization_config: { quant_method: "aqlm" } },
      "c.json.quantization_config",
      '{"quant_method":"aqlm"}',
    ],
  ])("refuses %s, with path and value", (_, change, path, received) => {
    expect(issuesOf({ ...LLAMA, ...change }).map(([where, given]) => [where, given])).toEqual([[path, received]]);
  });

  it("refuses more experts a token than there are, and a mixture without a top-k", () => {
    expect(issuesOf({ ...MOE, num_experts_per_tok: 65 })[0]?.[0]).toBe("c.json.num_experts_per_tok");
    expect(issuesOf({ ...MOE, num_experts_per_tok: undefined })[0]?.[0]).toBe("c.json.num_experts_per_tok");
  });

  it("lists all problems at once", () => {
    const paths = issuesOf({ ...LLAMA, hidden_size: null, vocab_size: "many", kv_lora_rank: 512 }).map(
      ([path]) => path,
    );
    expect(paths).toEqual(["c.json.kv_lora_rank", "c.json.hidden_size", "c.json.vocab_size"]);
  });

  it.each([null, 7, "text", [LLAMA]])("refuses %j as a whole", (json) => {
    expect(issuesOf(json)).toHaveLength(1);
  });

  it("says which part is not supported yet", () => {
    expect(issuesOf({ ...LLAMA, kv_lora_rank: 512 })[0]?.[2]).toMatch(/latent attention.*not supported yet/);
  });

  it("reads latent attention, with and without a latent for queries", () => {
    expect(
      parse(DEEPSEEK).layerGroups.map(({ count, attention, moe }) => [count, attention.kind, moe !== null]),
    ).toEqual([
      [1, "mla", false],
      [26, "mla", true],
    ]);
    const attention = { kind: "mla", numHeads: 16, qLoraRank: 0, kvLoraRank: 512, nopeHeadDim: 128, ropeHeadDim: 64 };
    expect(parse(DEEPSEEK).layerGroups[0]?.attention).toEqual({ ...attention, valueHeadDim: 128, slidingWindow: 0 });
    expect(parse({ ...DEEPSEEK, q_lora_rank: 1536 }).layerGroups[0]?.attention).toMatchObject({ qLoraRank: 1536 });
  });

  it.each(["kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"])(
    "names %s where latent attention lacks it",
    (key) => {
      expect(issuesOf({ ...DEEPSEEK, [key]: null }).map(([path]) => path)).toEqual([`c.json.${key}`]);
    },
  );

  it("refuses sparse and hybrid attention over latents", () => {
    expect(issuesOf({ ...DEEPSEEK, index_topk: 2048 })[0]?.[2]).toMatch(/sparse attention.*not supported yet/);
    expect(issuesOf({ ...DEEPSEEK, linear_attn_config: {} })[0]?.[2]).toMatch(/linear attention.*not supported yet/);
  });

  it("fills in what the classes default to", () => {
    const { num_key_value_heads, ...mha } = LLAMA;
    expect(num_key_value_heads).toBe(8);
    expect(parse(mha).layerGroups[0]?.attention).toMatchObject({ numKvHeads: 32, headDim: 128, hasQkvBias: false });
    expect(parse(LLAMA).tiesWordEmbeddings).toBe(false);
    expect(parse({ ...LLAMA, model_type: "gemma2" })).toMatchObject({ tiesWordEmbeddings: true, numNormsPerLayer: 4 });
    expect(parse({ ...LLAMA, attention_bias: true }).layerGroups[0]?.attention).toMatchObject({
      hasQkvBias: true,
      hasOutputBias: true,
    });
    expect(parse({ ...LLAMA, model_type: "qwen2" }).layerGroups[0]?.attention).toMatchObject({
      hasQkvBias: true,
      hasOutputBias: false,
    });
    expect(parse({ ...LLAMA, model_type: "qwen3" }).layerGroups[0]?.attention).toMatchObject({ hasQkNorm: true });
  });

  it("applies sliding windows to the layers that have them", () => {
    const windows = (change: object) =>
      parse({ ...LLAMA, sliding_window: 512, ...change }).layerGroups.map((group) => [
        group.attention.slidingWindow,
        group.count,
      ]);
    expect(windows({})).toEqual([[0, 32]]);
    expect(windows({ model_type: "mistral" })).toEqual([[512, 32]]);
    expect(windows({ model_type: "mistral", sliding_window: null })).toEqual([[0, 32]]);
    expect(windows({ model_type: "gemma2" })).toEqual([
      [512, 16],
      [0, 16],
    ]);
    expect(windows({ model_type: "qwen2", use_sliding_window: false, max_window_layers: 28 })).toEqual([[0, 32]]);
    expect(windows({ model_type: "qwen2", use_sliding_window: true, max_window_layers: 28 })).toEqual([
      [0, 28],
      [512, 4],
    ]);
    const types = Array.from({ length: 32 }, (_, i) => (i % 4 === 3 ? "full_attention" : "sliding_attention"));
    expect(windows({ layer_types: types })).toEqual([
      [512, 24],
      [0, 8],
    ]);
  });

  it("places experts, dense layers and shared experts as the keys say", () => {
    const layers = (change: object) =>
      parse({ ...MOE, ...change }).layerGroups.map((group) => [
        group.count,
        group.intermediateSize,
        group.moe !== null,
      ]);
    expect(layers({})).toEqual([[32, 0, true]]);
    expect(layers({ mlp_only_layers: [0, 5] })).toEqual([
      [2, 14_336, false],
      [30, 0, true],
    ]);
    expect(layers({ decoder_sparse_step: 2 })).toEqual([
      [16, 14_336, false],
      [16, 0, true],
    ]);
    const glm = { model_type: "glm4_moe", num_experts: undefined, n_routed_experts: 64, first_k_dense_replace: 3 };
    expect(layers(glm)).toEqual([
      [3, 14_336, false],
      [29, 0, true],
    ]);
    expect(parse({ ...MOE, ...glm, n_shared_experts: 2 }).layerGroups[1]?.moe).toMatchObject({
      sharedIntermediateSize: 1536,
      hasSharedExpertGate: false,
    });
    const qwen2 = { model_type: "qwen2_moe", shared_expert_intermediate_size: 5632 };
    expect(parse({ ...MOE, ...qwen2 }).layerGroups[0]?.moe).toMatchObject({
      sharedIntermediateSize: 5632,
      hasSharedExpertGate: true,
    });
  });

  it("reads weight types from dtype and quantisation", () => {
    expect(parse(LLAMA).weightDtype).toBe("bf16");
    expect(parse({ ...LLAMA, torch_dtype: "float16" }).weightDtype).toBe("fp16");
    const quantized = (config: object) => parse({ ...LLAMA, quantization_config: config }).weightDtype;
    expect(quantized({ quant_method: "fp8" })).toBe("fp8");
    expect(quantized({ quant_method: "awq", bits: 4 })).toBe("int4");
    expect(quantized({ quant_method: "gptq", bits: 4 })).toBe("int4");
    const compressed = (weights: object) => ({ quant_method: "compressed-tensors", config_groups: { g: { weights } } });
    expect(quantized(compressed({ num_bits: 8, type: "float" }))).toBe("fp8");
    expect(quantized(compressed({ num_bits: 4, type: "int" }))).toBe("int4");
    expect(quantized({ quant_method: "modelopt", quant_algo: "FP8" })).toBe("fp8");
    for (const config of [{ quant_method: "gptq", bits: 8 }, compressed({ num_bits: 8, type: "int" }), {}]) {
      expect(issuesOf({ ...LLAMA, quantization_config: config })).toHaveLength(1);
    }
  });

  it("finds the text part of a multimodal checkpoint, and names it in errors", () => {
    const nested = {
      model_type: "qwen3_vl",
      tie_word_embeddings: true,
      text_config: { ...LLAMA, model_type: "qwen3" },
    };
    expect(parse(nested)).toMatchObject({ hiddenSize: 4096, tiesWordEmbeddings: true });
    expect(issuesOf({ text_config: { ...LLAMA, hidden_size: 0 } })[0]?.[0]).toBe("c.json.text_config.hidden_size");
  });
});

/** Python writes Infinity into some published configs, which is no JSON. */
function readPublished(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8").replace(/\bInfinity\b/g, "1e308"));
}

describe.skipIf(referenceFolder === null)("parseHfConfig on published configs", () => {
  const folder = join(referenceFolder ?? "", "hf_configs");
  const files = referenceFolder === null ? [] : readdirSync(folder).filter((file) => file.endsWith(".json"));
  const isDense =
    /^(llama-[23]|codellama|mixtral|qwen2|qwen3-|qwen__qwen3-|yi|mistral|meta-llama__meta|nvidia__llama-3\.1)/i;

  it.each(files)("%s parses into finite sizes, or says which part is not supported yet", (file) => {
    const json = readPublished(join(folder, file));
    const problems = issuesOf(json);
    if (problems.length === 0) {
      expect(parameterCount(parse(json as object))).toBeGreaterThan(5e8);
      for (const { attention, count } of parse(json as object).layerGroups) {
        const sizes =
          attention.kind === "gqa"
            ? [attention.numKvHeads, attention.headDim]
            : [attention.kvLoraRank, attention.nopeHeadDim, attention.ropeHeadDim, attention.valueHeadDim];
        for (const size of [count, attention.numHeads, ...sizes]) {
          expect(Number.isInteger(size) && size > 0).toBe(true);
        }
      }
    } else {
      expect(isDense.test(file), JSON.stringify(problems)).toBe(false);
      expect(problems[0]?.[2]).toMatch(/not supported yet/);
    }
  });
});
