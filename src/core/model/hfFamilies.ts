/** What a `model_type` implies that its config.json does not say: the defaults of its Hugging Face classes. */
export interface HfFamily {
  /** Latent attention, by the sizes that config.json gives. */
  readonly isMla?: true;
  /** Bias on Q, K and V: by class, or as `attention_bias` says. */
  readonly qkvBias: "always" | "never" | "declared";
  /** Bias on the output projection. */
  readonly outputBias: "never" | "declared";
  /** RMSNorm on each head of Q and K: by class, or as `use_qk_norm` says. */
  readonly qkNorm: "always" | "never" | "declared";
  readonly tiesWordEmbeddings: boolean;
  readonly numNormsPerLayer: 2 | 4;
  /**
   * Which layers have the sliding window where `layer_types` is absent: none; every layer; all but each n-th;
   * layers from `max_window_layers` on if `use_sliding_window`.
   */
  readonly window:
    | { readonly layers: "none" | "all" | "late" }
    | { readonly layers: "all-but-each"; readonly fullEvery: number };
}

const LLAMA: HfFamily = {
  qkvBias: "declared",
  outputBias: "declared",
  qkNorm: "never",
  tiesWordEmbeddings: false,
  numNormsPerLayer: 2,
  window: { layers: "none" },
};
const MISTRAL: HfFamily = { ...LLAMA, qkvBias: "never", outputBias: "never", window: { layers: "all" } };
const QWEN2: HfFamily = { ...LLAMA, qkvBias: "always", outputBias: "never", window: { layers: "late" } };
const QWEN3: HfFamily = { ...LLAMA, qkNorm: "always", window: { layers: "late" } };
const GEMMA: HfFamily = { ...LLAMA, tiesWordEmbeddings: true };
const GEMMA2: HfFamily = { ...GEMMA, numNormsPerLayer: 4, window: { layers: "all-but-each", fullEvery: 2 } };
const GEMMA3: HfFamily = { ...GEMMA2, qkNorm: "always", window: { layers: "all-but-each", fullEvery: 6 } };

/** vLLM builds its linear layers without bias, whatever `attention_bias` says. */
const DEEPSEEK: HfFamily = { ...LLAMA, isMla: true, qkvBias: "never", outputBias: "never" };

/** Families whose operators we know, by `model_type` (of the text part, for multimodal checkpoints). */
export const HF_FAMILIES: Readonly<Record<string, HfFamily>> = {
  llama: LLAMA,
  mistral: MISTRAL,
  mixtral: MISTRAL,
  qwen2: QWEN2,
  qwen2_moe: QWEN2,
  qwen3: QWEN3,
  qwen3_moe: QWEN3,
  qwen3_vl_text: QWEN3,
  qwen3_vl_moe_text: QWEN3,
  gemma: GEMMA,
  gemma2: GEMMA2,
  gemma3_text: GEMMA3,
  phi3: { ...LLAMA, qkvBias: "never", outputBias: "never", window: { layers: "all" } },
  glm4_moe: { ...LLAMA, outputBias: "never", qkNorm: "declared" },
  deepseek: LLAMA,
  deepseek_v2: DEEPSEEK,
  deepseek_v3: DEEPSEEK,
  kimi_k2: DEEPSEEK,
  glm4_moe_lite: DEEPSEEK,
  gpt_oss: { ...LLAMA, window: { layers: "all-but-each", fullEvery: 2 } },
};
