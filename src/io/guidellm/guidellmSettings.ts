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

/** What a GuideLLM file's `args` say of the load of all its benchmarks together. */
export interface GuidellmLoad {
  readonly profile: string;
  /** Requests/s or streams of each benchmark, of a sweep how many there are; null = the server sets the pace. */
  readonly rate: readonly number[] | null;
}

/**
 * Settings for a GuideLLM file's `args`, under its names. It measures servers and knows little of them: ours goes where it
 * keeps free settings of a backend, in vLLM's words.
 */
export function guidellmArgs(
  config: RunConfig,
  load: GuidellmLoad = loadOf(config),
): Readonly<Record<string, unknown>> {
  const { model, seed, workload, gpu, engine } = config;
  return {
    model,
    ...load,
    seed,
    random_seed: seed,
    data: guidellmData(workload.data),
    max_requests: workload.maxRequests,
    max_seconds: workload.maxSeconds,
    backend_kwargs: { gpu, ...inSnakeCase(engine) },
  };
}

function loadOf(config: RunConfig): GuidellmLoad {
  const { kind, requestsPerS, streams } = guidellmStrategy(config);
  const rate = requestsPerS ?? streams;
  return { profile: kind, rate: rate === null ? null : [rate] };
}

/** GuideLLM's words for the data, so that a reader of its file knows what prompts share; empty where it has none. */
function guidellmData(data: WorkloadData): string {
  if (data.kind === "synthetic") {
    const { kind: _kind, promptOffsetTokens: _offset, prefixBuckets, ...fields } = data;
    return JSON.stringify(inSnakeCase(prefixBuckets === null ? fields : { ...fields, prefixBuckets }));
  }
  if (data.kind === "trace" || data.prefix === null) return "";
  return JSON.stringify({ prefix_tokens: data.prefix.tokens, prefix_count: data.prefix.count });
}

/** Without what is null: it means a default. */
function inSnakeCase(fields: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) => (value === null ? [] : [[snakeCase(key), value]])),
  );
}

function snakeCase(camelCase: string): string {
  return camelCase.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
