import { mergeConfig } from "../../core/config/mergeConfig.js";
import { parseConfig, printValue } from "../../core/config/parseConfig.js";
import { resolveDtypes } from "../../core/engine/resolveEngine.js";
import { runConfigSchema } from "../../core/engine/runConfig.js";
import { ConfigError, type ConfigIssue, DataFileError } from "../../core/errors/simulationError.js";
import type { ServerRunConfig } from "../../core/evaluation/evaluateRun.js";
import type { ModelArchitecture } from "../../core/model/modelArchitecture.js";
import { loadGpu, loadModel } from "../catalog.js";
import type { WholeStep } from "./wholeStepFile.js";

/** Enough KV blocks for any step: memory does not matter to the time of one. */
const AMPLE_BLOCKS = 1_000_000;
const AMPLE_TOKENS = 65_536;

/** What a command line may say of a step, before it is parsed. */
interface GivenConfig {
  readonly model?: unknown;
  readonly gpu?: unknown;
  readonly engine?: Readonly<Record<string, unknown>>;
  readonly sampling?: Readonly<Record<string, unknown>>;
  readonly pricing?: Readonly<Record<string, unknown>>;
  readonly workload?: unknown;
}

/**
 * The server that runs a measured step: what the file states of it, and what is given besides.
 * @param given fragment of a run config, unparsed
 * @throws ConfigError when what is given contradicts what was measured
 */
export function stepConfig(step: WholeStep, gpu: string, given: unknown): ServerRunConfig {
  const { workload: _workload, ...over } = given as GivenConfig;
  const stated = {
    model: step.model,
    gpu,
    engine: {
      tensorParallelSize: step.tensorParallelSize,
      blockSize: step.blockSize,
      numGpuBlocksOverride: AMPLE_BLOCKS,
      maxNumBatchedTokens: AMPLE_TOKENS,
      dtype: "bfloat16",
      quantization: step.weightDtype === "fp8" ? "fp8" : null,
      kvCacheDtype: step.kvDtype === "fp8" ? "fp8" : "auto",
    },
    sampling: { temperature: 0 },
  };
  const config = parseConfig(runConfigSchema.omit({ workload: true }), mergeConfig(stated, over), "");
  const issues = contradictions(step, gpu, over, config);
  if (issues.length > 0) throw new ConfigError(issues);
  return config;
}

/** A step that was measured once says nothing of another GPU, model, split or element type. */
function contradictions(step: WholeStep, gpu: string, given: GivenConfig, config: ServerRunConfig): ConfigIssue[] {
  const { engine = {}, sampling = {}, pricing = {} } = given;
  const issues: ConfigIssue[] = [];
  const refuse = (path: string, received: unknown, measured: string) => {
    issues.push({ path, received: printValue(received), allowed: `leave it out: the steps were measured ${measured}` });
  };
  const asked = (key: string) => engine[key] !== undefined;
  if (typeof given.gpu === "string" && loadGpu(given.gpu).id.toLowerCase() !== gpu.toLowerCase()) {
    refuse("gpu", given.gpu, `on ${gpu}`);
  }
  const architecture = loadModel(step.model);
  if (typeof given.model === "string" && loadModel(given.model).id !== architecture.id) {
    refuse("model", given.model, `with ${step.model}`);
  }
  const { tensorParallelSize, blockSize } = config.engine;
  if (tensorParallelSize !== step.tensorParallelSize) {
    refuse("engine.tensorParallelSize", tensorParallelSize, `on ${step.tensorParallelSize} GPU`);
  }
  if (blockSize !== step.blockSize) refuse("engine.blockSize", blockSize, `with blocks of ${step.blockSize} tokens`);
  const { weightDtype, kvDtype } = resolveDtypes(config.engine, architecture);
  for (const key of ["dtype", "quantization"]) {
    if (asked(key) && weightDtype !== step.weightDtype) {
      refuse(`engine.${key}`, engine[key], `with ${step.weightDtype} weights`);
    }
  }
  if (asked("kvCacheDtype") && kvDtype !== step.kvDtype) {
    refuse("engine.kvCacheDtype", engine.kvCacheDtype, `with a KV cache of ${step.kvDtype}`);
  }
  if (config.sampling.temperature !== 0) {
    refuse("sampling.temperature", sampling.temperature, "with greedy sampling");
  }
  if (typeof pricing.calibration === "string") {
    refuse("pricing.calibration", pricing.calibration, "without a server, which is what a calibration corrects");
  }
  return issues;
}

/** The model with as many layers as were run. @throws DataFileError when its groups of layers cannot be cut so */
export function withLayers(
  architecture: ModelArchitecture,
  { layers, modelLayers }: WholeStep,
  place: string,
): ModelArchitecture {
  const layerGroups = architecture.layerGroups.map((group) => ({
    ...group,
    count: (group.count * layers) / modelLayers,
  }));
  const total = architecture.layerGroups.reduce((sum, group) => sum + group.count, 0);
  if (total !== modelLayers) {
    throw new DataFileError({ file: place }, `says modelLayers ${modelLayers}, but ${architecture.id} has ${total}`);
  }
  if (layers > modelLayers) {
    throw new DataFileError({ file: place }, `has ${layers} layers, but ${architecture.id} no more than ${total}`);
  }
  if (layerGroups.every((group) => Number.isInteger(group.count))) return { ...architecture, layerGroups };
  const groups = architecture.layerGroups.map((group) => group.count).join(" and ");
  throw new DataFileError(
    { file: place },
    `has ${layers} layers, of which groups of ${groups} cannot have their share`,
  );
}
