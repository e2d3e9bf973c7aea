import { mergeConfig } from "../../core/config/mergeConfig.js";
import { parseConfig } from "../../core/config/parseConfig.js";
import type { PricingConfig } from "../../core/config/pricingConfig.js";
import { createServer, type Deployment, type Server } from "../../core/engine/createServer.js";
import { explainStep, parseBatch } from "../../core/engine/explainStep.js";
import { runConfigSchema } from "../../core/engine/runConfig.js";
import { ConfigError, DataFileError } from "../../core/errors/simulationError.js";
import type { ServerRunConfig } from "../../core/evaluation/evaluateRun.js";
import {
  type ComparedStep,
  errorPercent,
  type StepErrors,
  type StepKind,
  stepErrors,
} from "../../core/evaluation/stepErrors.js";
import type { ModelArchitecture } from "../../core/model/modelArchitecture.js";
import { loadGpu } from "../catalog.js";
import { withFileHashes } from "../pricingFiles.js";
import { readWholeSteps, type WholeStep } from "./wholeStepFile.js";

/** One step of the file beside its prediction. */
export interface EvaluatedStep extends ComparedStep {
  readonly file: string;
  readonly model: string;
  readonly layers: number;
  readonly weightDtype: string;
  readonly kvDtype: string;
  readonly batch: string;
  readonly errorPercent: number;
}

/** The `roofserve.evaluate-steps/1` contract. */
export interface StepEvaluation {
  readonly schema: "roofserve.evaluate-steps/1";
  readonly pricing: PricingConfig;
  readonly benchData: string | null;
  readonly errors: readonly StepErrors[];
  readonly steps: readonly EvaluatedStep[];
  readonly notes: readonly string[];
}

/** Enough KV blocks for any step: memory does not matter to the time of one. */
const AMPLE_BLOCKS = 1_000_000;
const AMPLE_TOKENS = 65_536;

/**
 * Prices measured steps and compares: GPU time alone, as the files have it.
 * @param given fragment of a run config, unparsed, over what a file states of each step
 * @param deploymentOf loads what a config names
 * @throws ConfigError, DataFileError
 */
export function evaluateSteps(
  files: readonly string[],
  given: unknown,
  deploymentOf: (config: ServerRunConfig) => Deployment,
): StepEvaluation {
  const servers = new Map<string, Server>();
  const configs: ServerRunConfig[] = [];
  let numPadded = 0;
  const steps = files.flatMap((file) => {
    const { gpu, steps: measured } = readWholeSteps(file);
    refuseOtherGpu(given, gpu);
    return measured.map((step, i): EvaluatedStep => {
      const { model, layers, weightDtype, kvDtype, batch } = step;
      const place = `${file}: steps[${i}]`;
      const key = [file, model, layers, weightDtype, kvDtype, step.blockSize, step.tensorParallelSize].join(" ");
      let server = servers.get(key);
      if (server === undefined) {
        const config = stepConfig(step, gpu, given);
        configs.push(config);
        server = serverOf(step, config, deploymentOf(config), place);
        servers.set(key, server);
      }
      const { rows, gpuUs, paddedTokens } = pricedStep(server, batch, place);
      if (paddedTokens !== step.paddedTokens) numPadded += 1;
      const compared = { kind: kindOf(rows), measuredUs: step.latencyUs, predictedUs: gpuUs };
      return { file, model, layers, weightDtype, kvDtype, batch, ...compared, errorPercent: errorPercent(compared) };
    });
  });
  const { pricing, benchData } = withFileHashes(configs[0]!);
  const padding = `${numPadded} of ${steps.length} steps were measured without the padding that vLLM's CUDA graphs have, and are priced with it`;
  const notes = numPadded === 0 ? [] : [padding];
  return { schema: "roofserve.evaluate-steps/1", pricing, benchData, errors: stepErrors(steps), steps, notes };
}

/** A step on one GPU says nothing of another. @throws ConfigError */
function refuseOtherGpu(given: unknown, measured: string): void {
  const { gpu } = given as { gpu?: unknown };
  if (typeof gpu !== "string" || loadGpu(gpu).id.toLowerCase() === measured.toLowerCase()) return;
  throw new ConfigError([
    { path: "gpu", received: gpu, allowed: `leave it out: the steps were measured on ${measured}` },
  ]);
}

function stepConfig(step: WholeStep, gpu: string, given: unknown): ServerRunConfig {
  const { workload: _workload, ...over } = given as { workload?: unknown };
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
  return parseConfig(runConfigSchema.omit({ workload: true }), mergeConfig(stated, over), "");
}

function serverOf(step: WholeStep, config: ServerRunConfig, deployment: Deployment, place: string): Server {
  const architecture = withLayers(deployment.architecture, step, place);
  return createServer({ ...deployment, architecture }, config.engine, config.sampling);
}

/** @throws DataFileError when the step is malformed, or none that the server could schedule */
function pricedStep(server: Server, batch: string, place: string) {
  try {
    const rows = parseBatch(batch);
    return { ...explainStep(server, rows), rows };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { received, allowed } = error.issues[0]!;
    throw new DataFileError({ file: place }, `batch ${batch}: got ${received}; ${allowed}`);
  }
}

/** The model with as many layers as were run. @throws DataFileError when its groups of layers cannot be cut so */
function withLayers(
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

function kindOf(rows: readonly { readonly kind: "prefill" | "decode" }[]): StepKind {
  const kinds = new Set(rows.map(({ kind }) => kind));
  return kinds.size > 1 ? "mixed" : rows[0]!.kind;
}
