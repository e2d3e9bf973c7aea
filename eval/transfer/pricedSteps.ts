import { engineConfigSchema, samplingConfigSchema } from "../../src/core/config/engineConfig.js";
import { parseConfig } from "../../src/core/config/parseConfig.js";
import { createServer, type Deployment } from "../../src/core/engine/createServer.js";
import { explainStep, parseBatch } from "../../src/core/engine/explainStep.js";

/** GPUs with efficiencies of their own. */
export const FITTED_GPUS = ["H100", "H200", "A100-80", "L40S", "B200"];
/** Models whose steps are priced. */
export const STEP_MODELS = ["meta-llama/Llama-3.1-8B", "Qwen/Qwen3-14B"];

/** GPU µs of one step. */
export function gpuUs(deployment: Deployment, batch: string): number {
  // KV blocks do not matter to one step; a fixed number lets every GPU hold every batch.
  const engine = parseConfig(engineConfigSchema, { numGpuBlocksOverride: 65536, maxModelLen: 8192 }, "engine");
  const server = createServer(deployment, engine, parseConfig(samplingConfigSchema, {}, "sampling"));
  return explainStep(server, parseBatch(batch)).gpuUs;
}
