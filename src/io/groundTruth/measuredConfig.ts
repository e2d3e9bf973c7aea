import { mergeConfig } from "../../core/config/mergeConfig.js";
import { parseConfig } from "../../core/config/parseConfig.js";
import { runConfigSchema } from "../../core/engine/runConfig.js";
import type { ServerRunConfig } from "../../core/evaluation/evaluateRun.js";
import { statedConfig } from "../../core/evaluation/replayRun.js";
import type { MeasuredExperiment } from "../../core/metrics/measuredExperiment.js";

/** Published runs rarely name their GPU; most are of this one. */
export const DEFAULT_MEASURED_GPU = "H100";

const serverRunConfigSchema = runConfigSchema.omit({ workload: true });

/**
 * The config an experiment is replayed with: what its files state, and over it what the user says.
 * @param given fragment of a run config, unparsed
 * @throws ConfigError
 */
export function measuredConfig(experiment: MeasuredExperiment, given: unknown = {}): ServerRunConfig {
  const { workload: _workload, ...over } = given as { workload?: unknown };
  const stated = { gpu: DEFAULT_MEASURED_GPU, ...statedConfig(experiment) };
  return parseConfig(serverRunConfigSchema, mergeConfig(stated, over), "");
}
