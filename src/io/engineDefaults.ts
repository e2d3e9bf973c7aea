import { engineConfigSchema } from "../core/config/engineConfig.js";
import { resolveEngine } from "../core/engine/resolveEngine.js";
import { SimulationError } from "../core/errors/simulationError.js";
import { loadGpu, loadModel } from "./catalog.js";

/** What null stands for, by config path. */
export type ConfigDefaults = Readonly<Record<string, unknown>>;

/** Parts of a config where null is "as vLLM would choose"; elsewhere it is a limit, or a file, that is not there. */
const LEFT_TO_VLLM = /^(engine|sampling)\./;

/**
 * What vLLM chooses where a config leaves it the engine's limits.
 * @param config of a run, or what several have in common
 * @returns nothing where the choice is not known: without the model, the GPU, or a key of the engine
 */
export function engineDefaults(config: object): ConfigDefaults {
  const { model, gpu, engine } = config as Partial<Record<string, unknown>>;
  const parsed = engineConfigSchema.safeParse(engine);
  if (typeof model !== "string" || typeof gpu !== "string" || !parsed.success) return {};
  const hasEveryKey = Object.keys(engineConfigSchema.shape).every((key) => key in (engine as object));
  if (!hasEveryKey) return {};
  try {
    const resolved = resolveEngine(parsed.data, loadModel(model), loadGpu(gpu));
    const chosen = Object.entries(resolved).filter(
      ([key, value]) => value !== null && (engine as Readonly<Record<string, unknown>>)[key] === null,
    );
    return Object.fromEntries(chosen.map(([key, value]) => [`engine.${key}`, value]));
  } catch (error) {
    // A file that has moved since, or limits that never fitted: the result says enough without.
    if (error instanceof SimulationError) return {};
    throw error;
  }
}

/** A null of a config in words: `default (1024)`, `default`, or `none`. */
export function nullWords(path: string, defaults: ConfigDefaults): string {
  if (path in defaults) return `default (${defaults[path]})`;
  return LEFT_TO_VLLM.test(path) ? "default" : "none";
}
