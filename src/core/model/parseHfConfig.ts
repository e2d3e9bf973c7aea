import { configIssues, printValue } from "../config/parseConfig.js";
import { ConfigError, type ConfigIssue } from "../errors/simulationError.js";
import type { WeightDtype } from "../units/dtype.js";
import { type HfConfig, hfConfigSchema } from "./hfConfigSchema.js";
import { HF_FAMILIES, type HfFamily } from "./hfFamilies.js";
import { hfLayerGroups } from "./hfLayers.js";
import { quantizedWeightDtype, SUPPORTED_QUANTIZATION } from "./hfQuantization.js";
import { unsupportedParts } from "./hfUnsupported.js";
import type { ModelArchitecture } from "./modelArchitecture.js";

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads the config.json of a dense or MoE decoder. Of a multimodal checkpoint only the text part is read
 * (`text_config`); its vision tower is neither counted nor priced.
 * @param id Hugging Face id, or how the user's file should be called in results
 * @param sourceName prefix of the paths in messages, e.g. the file's name
 * @returns `defaultSampling` null: a config.json does not say
 * @throws ConfigError listing every problem: bad values, sizes that contradict each other, unsupported parts
 */
export function parseHfConfig(json: unknown, id: string, sourceName: string): ModelArchitecture {
  if (!isObject(json)) {
    throw new ConfigError([{ path: sourceName, received: printValue(json), allowed: "must be a config.json object" }]);
  }
  const isNested = isObject(json.text_config);
  const config = isNested ? withOuterKeys(json, json.text_config as Json) : json;
  const path = (key: string) => [sourceName, ...(isNested && !(key in json) ? ["text_config"] : []), key].join(".");
  const issues = unsupportedParts(config, config.quantization_config, path);
  const parsed = hfConfigSchema.safeParse(config);
  if (!parsed.success) {
    // An architecture we do not know need not have the keys of those we do.
    if (!issues.some((issue) => issue.path === path("model_type"))) {
      issues.push(...configIssues(parsed.error, config, isNested ? `${sourceName}.text_config` : sourceName));
    }
    throw new ConfigError(issues);
  }
  // Sizes of an architecture we do not know need not fit each other the way ours do.
  const family = HF_FAMILIES[parsed.data.model_type];
  if (issues.length === 0) issues.push(...contradictions(parsed.data, family?.isMla ?? false, path));
  if (issues.length > 0 || family === undefined) throw new ConfigError(issues);
  return toArchitecture(parsed.data, family, id);
}

function toArchitecture(config: HfConfig, family: HfFamily, id: string): ModelArchitecture {
  return {
    id,
    hiddenSize: config.hidden_size,
    vocabSize: config.vocab_size,
    maxPositionEmbeddings: config.max_position_embeddings,
    tiesWordEmbeddings: config.tie_word_embeddings ?? family.tiesWordEmbeddings,
    weightDtype: weightDtypeOf(config),
    layerGroups: hfLayerGroups(config, family),
    numNormsPerLayer: family.numNormsPerLayer,
    numMlpMatrices: 3,
    defaultSampling: null,
  };
}

/** Quantised checkpoints by method; else 16 bits, as vLLM loads a float32 checkpoint too (as fp16). */
function weightDtypeOf(config: HfConfig): WeightDtype {
  const quantized = config.quantization_config ? quantizedWeightDtype(config.quantization_config) : null;
  if (quantized !== null) return quantized;
  return (config.dtype ?? config.torch_dtype ?? "bfloat16") === "bfloat16" ? "bf16" : "fp16";
}

/** What single keys cannot tell: sizes that do not fit each other, and MoE keys that are missing. */
function contradictions(config: HfConfig, isMla: boolean, path: (key: string) => string): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const complain = (key: keyof HfConfig & string, allowed: string) =>
    issues.push({ path: path(key), received: printValue(config[key]), allowed });
  const numHeads = config.num_attention_heads;
  const numKvHeads = config.num_key_value_heads ?? numHeads;
  if (numHeads % numKvHeads !== 0) complain("num_key_value_heads", `must divide num_attention_heads (${numHeads})`);
  if (isMla) issues.push(...mlaContradictions(config, path));
  else if ((config.head_dim ?? null) === null && config.hidden_size % numHeads !== 0) {
    complain("hidden_size", `must be a multiple of num_attention_heads (${numHeads}), or head_dim must be given`);
  }
  if (config.layer_types && config.layer_types.length !== config.num_hidden_layers) {
    complain("layer_types", `must have one entry per layer (${config.num_hidden_layers})`);
  }
  for (const type of new Set(config.layer_types ?? [])) {
    if (type !== "full_attention" && type !== "sliding_attention") {
      issues.push({ path: path("layer_types"), received: type, allowed: "this kind of layer is not supported yet" });
    }
  }
  issues.push(...moeContradictions(config, complain));
  if (config.quantization_config && quantizedWeightDtype(config.quantization_config) === null) {
    complain("quantization_config", SUPPORTED_QUANTIZATION);
  }
  return issues;
}

/** Sizes that latent attention cannot do without; queries need no latent of their own. */
function mlaContradictions(config: HfConfig, path: (key: string) => string): ConfigIssue[] {
  const needed = ["kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"] as const;
  return needed
    .filter((key) => (config[key] ?? null) === null)
    .map((key) => ({
      path: path(key),
      received: printValue(config[key]),
      allowed: `must be given for multi-head latent attention (model_type ${config.model_type})`,
    }));
}

function moeContradictions(
  config: HfConfig,
  complain: (key: keyof HfConfig & string, allowed: string) => void,
): ConfigIssue[] {
  const numExperts = config.num_local_experts ?? config.num_experts ?? config.n_routed_experts ?? 0;
  const topK = config.num_experts_per_tok ?? null;
  if (numExperts === 0) {
    if (!config.intermediate_size) complain("intermediate_size", "must be given, ≥ 1");
    return [];
  }
  if (topK === null) complain("num_experts_per_tok", "must be given for a mixture of experts");
  else if (topK > numExperts) complain("num_experts_per_tok", `must not exceed the number of experts (${numExperts})`);
  if (!config.moe_intermediate_size && !config.intermediate_size) {
    complain("moe_intermediate_size", "must be given for a mixture of experts");
  }
  return [];
}

/** Text part of a multimodal config; dtype, tying and quantisation often stand outside of it. */
function withOuterKeys(outer: Json, inner: Json): Json {
  const merged: Record<string, unknown> = { ...inner };
  for (const key of ["model_type", "torch_dtype", "dtype", "tie_word_embeddings", "quantization_config"]) {
    merged[key] = inner[key] ?? outer[key];
  }
  return merged;
}

function isObject(value: unknown): value is Json {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
