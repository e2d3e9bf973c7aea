import { nearestVllmVersion, VLLM_VERSIONS } from "../core/config/vllmVersion.js";

/** vLLM's words for values that have one name here, by option. */
const WORDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  quantization: { awq_marlin: "awq", gptq_marlin: "gptq" },
};

/** A config as given, vLLM's words and releases in its engine options replaced by those that the schema lists. */
export function withOurWords(config: unknown): unknown {
  const engine = (config as { engine?: unknown }).engine;
  if (typeof engine !== "object" || engine === null) return config;
  const translated = Object.entries(engine).map(([key, value]) => [key, translate(key, value)]);
  return { ...(config as object), engine: Object.fromEntries(translated) };
}

function translate(key: string, value: unknown): unknown {
  if (key === "vllmVersion") return translateVersion(value);
  return typeof value === "string" ? (WORDS[key]?.[value.toLowerCase()] ?? value) : value;
}

/** A release stands for the last listed version before it; YAML and the command line read 0.15 as a number. */
function translateVersion(value: unknown): unknown {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string" || VLLM_VERSIONS.some((version) => version === text)) return text;
  return /^v?0\.\d+(\.\d+)?$/.test(text) ? (nearestVllmVersion(text) ?? text) : text;
}
