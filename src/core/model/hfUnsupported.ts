import type { ConfigIssue } from "../errors/simulationError.js";
import { HF_FAMILIES } from "./hfFamilies.js";

type Json = Readonly<Record<string, unknown>>;

/** A part of an architecture that has no operators yet, the keys that betray it, and how it is called. */
const UNSUPPORTED_PARTS: readonly { readonly keys: readonly string[]; readonly part: string }[] = [
  { keys: ["index_topk", "index_n_heads", "sparse_attention_config"], part: "sparse attention with an indexer (DSA)" },
  { keys: ["linear_num_value_heads", "linear_attn_config", "full_attention_interval"], part: "linear attention" },
  { keys: ["mamba_num_heads", "hybrid_override_pattern", "ssm_state_size"], part: "state-space (Mamba) layers" },
  { keys: ["attention_chunk_size"], part: "chunked local attention" },
  { keys: ["block_configs"], part: "layers of individual shape (NAS)" },
];

/** Weight formats named by `quant_method` or `quant_algo` that we have no byte count for. */
const UNSUPPORTED_FORMATS = /nvfp4|mxfp4|mxfp8|fp4|w4a8|bitsandbytes|gguf|modelopt_fp4/i;

/** Parts of a checkpoint that cannot be simulated yet, each said clearly; empty when everything is supported. */
export function unsupportedParts(config: Json, quantization: unknown, path: (key: string) => string): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  for (const { keys, part } of UNSUPPORTED_PARTS) {
    const key = keys.find((candidate) => isGiven(config[candidate]));
    if (key !== undefined) issues.push(notYet(path(key), config[key], `${part} is not supported yet`));
  }
  const modelType = config.model_type;
  const family = typeof modelType === "string" ? HF_FAMILIES[modelType] : undefined;
  if (isGiven(config.kv_lora_rank) && family !== undefined && !family.isMla) {
    const part = `multi-head latent attention (MLA) in a model of type ${modelType}`;
    issues.push(notYet(path("kv_lora_rank"), config.kv_lora_rank, `${part} is not supported yet`));
  }
  if (issues.length === 0 && typeof modelType === "string" && family === undefined) {
    const known = Object.keys(HF_FAMILIES).join(", ");
    issues.push(notYet(path("model_type"), modelType, `this architecture is not supported yet; supported: ${known}`));
  }
  const format = quantizationName(quantization);
  if (UNSUPPORTED_FORMATS.test(format)) {
    issues.push(notYet(path("quantization_config"), format, "this weight format is not supported yet"));
  }
  return issues;
}

/** The names a quantization_config gives its format, joined. */
function quantizationName(quantization: unknown): string {
  if (quantization === null || typeof quantization !== "object") return "";
  const { quant_method, quant_algo, fmt, format } = quantization as Json;
  return [quant_method, quant_algo, fmt, format].filter((name) => typeof name === "string").join(" ");
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}

function notYet(path: string, received: unknown, allowed: string): ConfigIssue {
  const text = typeof received === "string" ? received : (JSON.stringify(received) ?? String(received));
  return { path, received: text.length > 80 ? `${text.slice(0, 77)}…` : text, allowed };
}
