import * as z from "zod";
import { hfQuantizationSchema } from "./hfQuantization.js";

const size = (max: number) => z.number().int().min(1).max(max);
const count = (max: number) => z.number().int().min(0).max(max);
const dtype = z.enum(["bfloat16", "float16", "float32"]).nullish();

/**
 * The keys of a Hugging Face config.json that shapes follow from. Other keys are ignored: checkpoints carry dozens
 * that say nothing about cost. Bounds catch units mixed up and typos, not taste.
 */
export const hfConfigSchema = z.looseObject({
  model_type: z.string().min(1),
  hidden_size: size(1_000_000),
  num_hidden_layers: size(10_000),
  num_attention_heads: size(10_000),
  num_key_value_heads: size(10_000).nullish(),
  head_dim: size(10_000).nullish(),
  q_lora_rank: size(1_000_000).nullish(),
  kv_lora_rank: size(1_000_000).nullish(),
  qk_nope_head_dim: size(10_000).nullish(),
  qk_rope_head_dim: size(10_000).nullish(),
  v_head_dim: size(10_000).nullish(),
  vocab_size: size(10_000_000),
  max_position_embeddings: size(1_000_000_000),
  intermediate_size: count(10_000_000).nullish(),
  tie_word_embeddings: z.boolean().nullish(),
  attention_bias: z.boolean().nullish(),
  torch_dtype: dtype,
  dtype,
  sliding_window: count(1_000_000_000).nullish(),
  use_sliding_window: z.boolean().nullish(),
  max_window_layers: count(10_000).nullish(),
  layer_types: z.array(z.string()).nullish(),
  sliding_window_pattern: size(10_000).nullish(),
  use_qk_norm: z.boolean().nullish(),
  num_local_experts: count(100_000).nullish(),
  num_experts: count(100_000).nullish(),
  n_routed_experts: count(100_000).nullish(),
  num_experts_per_tok: size(100_000).nullish(),
  moe_intermediate_size: size(10_000_000).nullish(),
  n_shared_experts: count(1_000).nullish(),
  shared_expert_intermediate_size: count(10_000_000).nullish(),
  first_k_dense_replace: count(10_000).nullish(),
  moe_layer_freq: size(1_000).nullish(),
  decoder_sparse_step: size(1_000).nullish(),
  mlp_only_layers: z.array(count(10_000)).nullish(),
  quantization_config: hfQuantizationSchema.nullish(),
});

export type HfConfig = z.output<typeof hfConfigSchema>;
