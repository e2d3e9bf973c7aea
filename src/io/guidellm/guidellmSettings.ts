import type { RunConfig } from "../../core/engine/runConfig.js";
import type { WorkloadData } from "../../core/workload/dataConfig.js";
import type { GuidellmStrategy } from "./guidellmReport.js";

/** The GuideLLM strategy that sends requests as this workload does. */
export function guidellmStrategy({ workload }: RunConfig): GuidellmStrategy {
  const { profile } = workload;
  return {
    kind: profile.kind,
    requestsPerS: "rate" in profile ? profile.rate : null,
    streams: "streams" in profile ? profile.streams : null,
    maxConcurrency: "maxConcurrency" in profile ? profile.maxConcurrency : null,
  };
}

/** Settings for a GuideLLM file's `args`, under its names. */
export function guidellmArgs({ model, seed, workload }: RunConfig): Readonly<Record<string, unknown>> {
  return { model, seed, data: guidellmData(workload.data) };
}

/** GuideLLM's words for the data, so that a reader of its file knows what prompts share; empty where it has none. */
function guidellmData(data: WorkloadData): string {
  if (data.kind === "synthetic") {
    const { kind: _kind, promptOffsetTokens: _offset, prefixBuckets, ...fields } = data;
    const given = Object.entries(prefixBuckets === null ? fields : { ...fields, prefixBuckets });
    return JSON.stringify(
      Object.fromEntries(given.flatMap(([key, value]) => (value === null ? [] : [[snakeCase(key), value]]))),
    );
  }
  if (data.kind === "trace" || data.prefix === null) return "";
  return JSON.stringify({ prefix_tokens: data.prefix.tokens, prefix_count: data.prefix.count });
}

function snakeCase(camelCase: string): string {
  return camelCase.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
