import { nearestName } from "../config/nearestName.js";
import { configIssues, printValue } from "../config/parseConfig.js";
import { ConfigError, type ConfigIssue } from "../errors/simulationError.js";
import { type SyntheticData, syntheticDataSchema } from "./syntheticData.js";

/** GuideLLM's name of each of our fields: `promptTokensStdev` is `prompt_tokens_stdev` there. */
const GUIDELLM_KEYS = new Map(
  Object.keys(syntheticDataSchema.shape)
    .filter((field) => field !== "kind")
    .map((field) => [snakeCase(field), field]),
);
const BUCKET_KEYS = new Map([
  ["bucket_weight", "bucketWeight"],
  ["prefix_count", "prefixCount"],
  ["prefix_tokens", "prefixTokens"],
]);
/** Words GuideLLM 0.7 writes for this kind of data. */
const SYNTHETIC_KINDS = new Set(["synthetic", "synthetic_text"]);

/**
 * Parses GuideLLM's `--data` for synthetic requests: `prompt_tokens=512,output_tokens=128,…` or a JSON object's text.
 * @param where what messages call it, e.g. the flag
 * @throws ConfigError listing every problem, unknown keys with the nearest known one
 */
export function parseSyntheticData(text: string, where = "--data"): SyntheticData {
  const issues: ConfigIssue[] = [];
  const entries = text.trimStart().startsWith("{") ? jsonEntries(text, where) : pairEntries(text, where, issues);
  const fields: Record<string, unknown> = { kind: "synthetic" };
  for (const [key, value] of entries) {
    if (key === "kind" && SYNTHETIC_KINDS.has(String(value))) continue;
    const field = GUIDELLM_KEYS.get(key);
    if (field === undefined) issues.push(unknownKey(key, GUIDELLM_KEYS.keys(), where));
    else fields[field] = field === "prefixBuckets" ? bucketFields(value, where, issues) : value;
  }
  const result = syntheticDataSchema.safeParse(fields);
  if (!result.success) {
    for (const issue of configIssues(result.error, fields, "")) {
      issues.push({ ...issue, path: `${where} ${snakeCase(issue.path)}` });
    }
  }
  if (issues.length > 0 || !result.success) throw new ConfigError(issues);
  return result.data;
}

function jsonEntries(text: string, where: string): [string, unknown][] {
  try {
    return Object.entries(JSON.parse(text) as Record<string, unknown>);
  } catch (error) {
    const allowed = `must be valid JSON (${(error as Error).message})`;
    throw new ConfigError([{ path: where, received: printValue(text), allowed }]);
  }
}

function pairEntries(text: string, where: string, issues: ConfigIssue[]): [string, unknown][] {
  const entries = new Map<string, unknown>();
  for (const part of text.split(",").map((piece) => piece.trim())) {
    if (part === "") continue;
    const [key, value, ...rest] = part.split("=").map((piece) => piece.trim());
    if (key === undefined || key === "" || value === undefined || value === "" || rest.length > 0) {
      const allowed = "each entry must be key=value, as in prompt_tokens=512,output_tokens=128";
      issues.push({ path: where, received: printValue(part), allowed });
    } else if (entries.has(key)) {
      issues.push({ path: `${where} ${key}`, received: "the key twice", allowed: "give it once" });
    } else {
      entries.set(key, scalar(value));
    }
  }
  return [...entries];
}

/** Numbers as numbers; anything else stays text and is refused by the schema with what was given. */
function scalar(value: string): unknown {
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value) ? Number(value) : value;
}

function bucketFields(value: unknown, where: string, issues: ConfigIssue[]): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((bucket: unknown, index) => {
    if (bucket === null || typeof bucket !== "object") return bucket;
    const fields: Record<string, unknown> = {};
    for (const [key, entry] of Object.entries(bucket)) {
      const field = BUCKET_KEYS.get(key);
      if (field === undefined) issues.push(unknownKey(key, BUCKET_KEYS.keys(), `${where} prefix_buckets.${index}`));
      else fields[field] = entry;
    }
    return fields;
  });
}

function unknownKey(key: string, known: Iterable<string>, where: string): ConfigIssue {
  const names = [...known];
  const nearest = nearestName(key, names);
  const allowed = nearest === null ? `known keys are ${names.join(", ")}` : `did you mean ${nearest}?`;
  return { path: `${where} ${key}`, received: "an unknown key", allowed };
}

function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
