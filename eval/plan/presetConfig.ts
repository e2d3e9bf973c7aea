import { readFileSync } from "node:fs";
import { parseConfig } from "../../src/core/config/parseConfig.js";
import { type RunConfig, runConfigSchema } from "../../src/core/engine/runConfig.js";

interface PresetServer {
  readonly numRequests: number;
  readonly gpu?: string;
  readonly engine?: object;
}

/** A preset workload of so many requests on a server; Llama-3.1-8B-Instruct on one H100 unless `server` says otherwise. */
export function presetConfig(preset: string, { numRequests, ...server }: PresetServer): RunConfig {
  const workload = JSON.parse(readFileSync(new URL(`../../workloads/${preset}.json`, import.meta.url), "utf8"));
  return parseConfig(runConfigSchema, { ...server, workload: { ...workload, maxRequests: numRequests } }, "");
}
