import type { HfConfig } from "./hfConfigSchema.js";
import type { HfFamily } from "./hfFamilies.js";
import type { AttentionArchitecture, LayerGroup, MlaAttention, MoeArchitecture } from "./modelArchitecture.js";

/** Layers of a config.json, those of equal shape in one group. */
export function hfLayerGroups(config: HfConfig, family: HfFamily): LayerGroup[] {
  const groups = new Map<string, LayerGroup>();
  const moe = moeOf(config);
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const isMoe = moe !== null && isMoeLayer(config, layer);
    const shape = {
      attention: attentionOf(config, family, layer),
      intermediateSize: isMoe ? 0 : (config.intermediate_size ?? 0),
      moe: isMoe ? moe : null,
    };
    const key = JSON.stringify(shape);
    groups.set(key, { count: (groups.get(key)?.count ?? 0) + 1, ...shape });
  }
  return [...groups.values()];
}

function attentionOf(config: HfConfig, family: HfFamily, layer: number): AttentionArchitecture {
  if (family.isMla) return mlaOf(config);
  const numHeads = config.num_attention_heads;
  const declaresBias = config.attention_bias ?? false;
  return {
    kind: "gqa",
    numHeads,
    numKvHeads: config.num_key_value_heads ?? numHeads,
    headDim: config.head_dim ?? config.hidden_size / numHeads,
    hasQkvBias: family.qkvBias === "always" || (family.qkvBias === "declared" && declaresBias),
    hasOutputBias: family.outputBias === "declared" && declaresBias,
    hasQkNorm: family.qkNorm === "always" || (family.qkNorm === "declared" && (config.use_qk_norm ?? false)),
    slidingWindow: isSliding(config, family, layer) ? (config.sliding_window ?? 0) : 0,
  };
}

/** Sizes that are missing are complained of elsewhere. */
function mlaOf(config: HfConfig): MlaAttention {
  return {
    kind: "mla",
    numHeads: config.num_attention_heads,
    qLoraRank: config.q_lora_rank ?? 0,
    kvLoraRank: config.kv_lora_rank ?? 0,
    nopeHeadDim: config.qk_nope_head_dim ?? 0,
    ropeHeadDim: config.qk_rope_head_dim ?? 0,
    valueHeadDim: config.v_head_dim ?? 0,
    slidingWindow: 0,
  };
}

function isSliding(config: HfConfig, family: HfFamily, layer: number): boolean {
  const type = config.layer_types?.[layer];
  if (type !== undefined) return type === "sliding_attention";
  const { window } = family;
  switch (window.layers) {
    case "none":
      return false;
    case "all":
      return true;
    case "late":
      return (config.use_sliding_window ?? false) && layer >= (config.max_window_layers ?? 0);
    case "all-but-each":
      return (layer + 1) % (config.sliding_window_pattern ?? window.fullEvery) !== 0;
  }
}

function isMoeLayer(config: HfConfig, layer: number): boolean {
  if (layer < (config.first_k_dense_replace ?? 0)) return false;
  if (config.mlp_only_layers?.includes(layer)) return false;
  if (layer % (config.moe_layer_freq ?? 1) !== 0) return false;
  return (layer + 1) % (config.decoder_sparse_step ?? 1) === 0;
}

function moeOf(config: HfConfig): MoeArchitecture | null {
  const numExperts = config.num_local_experts ?? config.num_experts ?? config.n_routed_experts ?? 0;
  const numExpertsPerToken = config.num_experts_per_tok ?? 0;
  if (numExperts === 0) return null;
  const expertIntermediateSize = config.moe_intermediate_size ?? config.intermediate_size ?? 0;
  const gatedSharedSize = config.shared_expert_intermediate_size ?? 0;
  return {
    numExperts,
    numExpertsPerToken,
    expertIntermediateSize,
    sharedIntermediateSize: gatedSharedSize + (config.n_shared_experts ?? 0) * expertIntermediateSize,
    hasSharedExpertGate: gatedSharedSize > 0,
  };
}
