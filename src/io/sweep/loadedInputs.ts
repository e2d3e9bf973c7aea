import type { Deployment } from "../../core/engine/createServer.js";
import type { RunConfig } from "../../core/engine/runConfig.js";
import { loadDeployment } from "../loadDeployment.js";
import { readWorkloadSpecs, type WorkloadSpecs } from "../workloadSpecs.js";

/** Loads kept per process: the servers of a grid come one after the other, a few at a time. */
const MAX_LOADED = 8;

const deployments = new Map<string, Deployment>();

/**
 * Loads a deployment once: with it go the prices of its steps, which later runs find there. With kernel tables it is loaded
 * anew: its notes say what its own run found no table for.
 */
export function deploymentOf(config: RunConfig): Deployment {
  const { model, gpu, benchData, pricing } = config;
  if (benchData !== null) return loadDeployment(config);
  // Only a calibration, which holds for one server, looks at the engine.
  const engine = pricing.calibration === null ? null : config.engine;
  return kept(deployments, JSON.stringify([model, gpu, pricing, engine]), () => loadDeployment(config));
}

const traces = new Map<string, Promise<WorkloadSpecs["specs"]>>();

/** The requests of a trace, read once; null where they are generated. */
export async function specsOf({ workload }: RunConfig): Promise<WorkloadSpecs["specs"]> {
  const { data } = workload;
  if (data.kind !== "trace") return null;
  return kept(traces, data.path, async () => (await readWorkloadSpecs(workload)).specs);
}

function kept<T>(loaded: Map<string, T>, key: string, load: () => T): T {
  const known = loaded.get(key);
  if (known !== undefined) return known;
  const value = load();
  const [oldest] = loaded.keys();
  if (loaded.size >= MAX_LOADED && oldest !== undefined) loaded.delete(oldest);
  loaded.set(key, value);
  return value;
}
