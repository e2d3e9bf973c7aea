import { parseConfig } from "./core/config/parseConfig.js";
import { type RunConfig, runConfigSchema } from "./core/engine/runConfig.js";
import { type SimulationResult, simulate as simulateDeployment } from "./core/engine/simulate.js";
import { loadDeployment } from "./io/loadDeployment.js";
import { withFileHashes } from "./io/pricingFiles.js";
import { readWorkloadSpecs } from "./io/workloadSpecs.js";

/**
 * roofserve as a library: `simulate` for Node, and everything of the browser-safe core.
 *
 * @module
 */
export * from "./core/index.js";
export {
  loadGpu,
  loadGpuCatalog,
  loadModel,
  loadModelCatalog,
} from "./io/catalog.js";
export { type DeploymentConfig, loadDeployment } from "./io/loadDeployment.js";
export { loadWorkloadPreset, WORKLOAD_PRESETS } from "./io/workloadPresets.js";

/** A run's config as a program writes it: every field with a default may be left out. */
export type RunConfigInput = Parameters<typeof runConfigSchema.parse>[0] & object;

/**
 * Simulates a run from a plain config: loads the model, the GPU and, for a trace workload, the trace.
 * The same config gives the same result to the last bit.
 *
 * @example
 * const { summary, records } = await simulateRun({
 *   model: "meta-llama/Llama-3.1-8B",
 *   gpu: "H100",
 *   workload: {
 *     profile: { kind: "poisson", rate: 4 },
 *     data: { kind: "synthetic", promptTokens: 512, outputTokens: 128 },
 *     maxRequests: 200,
 *   },
 * });
 * console.log(summary.ttftMs.p99, records.length);
 *
 * @throws ConfigError, DataFileError, CapacityError
 */
export async function simulateRun(config: RunConfigInput): Promise<SimulationResult> {
  const resolved: RunConfig = parseConfig(runConfigSchema, config, "");
  const deployment = loadDeployment(resolved);
  const { specs } = await readWorkloadSpecs(resolved.workload);
  return simulateDeployment(deployment, withFileHashes(resolved), specs === null ? {} : { specs });
}
