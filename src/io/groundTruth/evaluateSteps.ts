import { type PricingConfig, pricingConfigSchema } from "../../core/config/pricingConfig.js";
import { createServer, type Deployment, type Server } from "../../core/engine/createServer.js";
import { explainStep, parseBatch } from "../../core/engine/explainStep.js";
import { ConfigError, DataFileError } from "../../core/errors/simulationError.js";
import type { ServerRunConfig } from "../../core/evaluation/evaluateRun.js";
import {
  type ComparedStep,
  errorPercent,
  type StepErrors,
  type StepKind,
  stepErrors,
} from "../../core/evaluation/stepErrors.js";
import { stepVerdict } from "../../core/evaluation/stepVerdict.js";
import { DEFAULT_WAITS } from "../../core/stepmodel/stepWaits.js";
import { REPEATABILITY_FRACTION } from "../benchData/unusableRows.js";
import { withFileHashes } from "../pricingFiles.js";
import { stepConfig, withLayers } from "./statedStep.js";
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
  /** How far its repeated measurements lie apart, as a share of their mean; null where the file does not say. */
  readonly repeatabilityFraction: number | null;
  /** The built-in prices' prediction; null where these are what prices. */
  readonly builtInUs: number | null;
  readonly builtInErrorPercent: number | null;
}

/** The `roofserve.evaluate-steps/1` contract. */
export interface StepEvaluation {
  readonly schema: "roofserve.evaluate-steps/1";
  readonly pricing: PricingConfig;
  readonly benchData: string | null;
  /** Whether kernels wait for each other as `--characterization` measured, or not at all. */
  readonly kernelGaps: "measured" | "none";
  readonly errors: readonly StepErrors[];
  /** Of the same steps at built-in prices; null where these are what prices. */
  readonly builtInErrors: readonly StepErrors[] | null;
  /** Without the steps that were not repeatable; null where all were, or none. */
  readonly repeatableErrors: readonly StepErrors[] | null;
  /** Which prices tell the steps better, in words; null without a comparison. */
  readonly verdict: string | null;
  readonly steps: readonly EvaluatedStep[];
  readonly notes: readonly string[];
}

/** Prices steps of one kind of server; built once for all of its steps. */
interface StepPricer {
  readonly config: ServerRunConfig;
  readonly given: PricedServer;
  readonly builtIn: PricedServer | null;
}

interface PricedServer {
  readonly server: Server;
  readonly hasMeasuredGaps: boolean;
}

/**
 * Prices measured steps and compares: GPU time alone, as the files have it; beside them at built-in prices, where others
 * are given.
 *
 * A measured step is one CUDA graph of a whole model. What `DEFAULT_WAITS` has between kernels was fitted to vLLM servers,
 * whose graphs are cut at attention and fed by Python, and is no part of it; what a kernel waits after one of another kind
 * is, and counts where `--characterization` brings it.
 *
 * @param given fragment of a run config, unparsed, over what a file states of each step
 * @param deploymentOf loads what a config names
 * @throws ConfigError, DataFileError
 */
export function evaluateSteps(
  files: readonly string[],
  given: unknown,
  deploymentOf: (config: ServerRunConfig) => Deployment,
): StepEvaluation {
  const pricers = new Map<string, StepPricer>();
  let numPadded = 0;
  const steps = files.flatMap((file) => {
    const { gpu, steps: measured } = readWholeSteps(file);
    return measured.map((step, i): EvaluatedStep => {
      const { model, layers, weightDtype, kvDtype, batch } = step;
      const place = `${file}: steps[${i}]`;
      const key = [file, model, layers, weightDtype, kvDtype, step.blockSize, step.tensorParallelSize].join(" ");
      const pricer = pricers.get(key) ?? stepPricer(step, stepConfig(step, gpu, given), deploymentOf, place);
      pricers.set(key, pricer);
      const { rows, gpuUs, paddedTokens } = pricedStep(pricer.given.server, batch, place);
      if (paddedTokens !== step.paddedTokens) numPadded += 1;
      const compared = { kind: kindOf(rows), measuredUs: step.latencyUs, predictedUs: gpuUs };
      const builtInUs = pricer.builtIn === null ? null : pricedStep(pricer.builtIn.server, batch, place).gpuUs;
      return {
        ...{ file, model, layers, weightDtype, kvDtype, batch, ...compared, errorPercent: errorPercent(compared) },
        repeatabilityFraction: step.repeatabilityFraction ?? null,
        builtInUs,
        builtInErrorPercent: builtInUs === null ? null : errorPercent({ ...compared, predictedUs: builtInUs }),
      };
    });
  });
  const [first] = pricers.values();
  const { pricing, benchData } = withFileHashes(first!.config);
  const errors = stepErrors(steps);
  const builtInErrors = first!.builtIn === null ? null : stepErrors(steps.map(atBuiltInPrice));
  const repeatable = steps.filter(isRepeatable);
  const numUnrepeatable = steps.length - repeatable.length;
  const isPart = numUnrepeatable > 0 && repeatable.length > 0;
  return {
    ...{ schema: "roofserve.evaluate-steps/1", pricing, benchData },
    kernelGaps: first!.given.hasMeasuredGaps ? "measured" : "none",
    ...{ errors, builtInErrors },
    repeatableErrors: isPart ? stepErrors(repeatable) : null,
    verdict: builtInErrors === null ? null : stepVerdict(builtInErrors, errors),
    steps,
    notes: notesOf(steps.length, numPadded, numUnrepeatable, first!.given.hasMeasuredGaps),
  };
}

function atBuiltInPrice(step: EvaluatedStep): ComparedStep {
  return { ...step, predictedUs: step.builtInUs! };
}

function isRepeatable({ repeatabilityFraction }: EvaluatedStep): boolean {
  return repeatabilityFraction === null || repeatabilityFraction <= REPEATABILITY_FRACTION;
}

function notesOf(numSteps: number, numPadded: number, numUnrepeatable: number, hasMeasuredGaps: boolean): string[] {
  const { kernelGapUsPerLayer } = DEFAULT_WAITS;
  const vllmGaps = `the ${kernelGapUsPerLayer} µs a layer that roofserve adds between a vLLM server's kernels are left out`;
  const gaps = hasMeasuredGaps
    ? "kernels wait for each other as the characterisation measured"
    : `each step ran as one CUDA graph: ${vllmGaps}; --characterization brings the gaps that a graph of this GPU has`;
  const padding = `${numPadded} of ${numSteps} steps were measured without the padding that vLLM's CUDA graphs have, and are priced with it`;
  const limit = `${100 * REPEATABILITY_FRACTION} %`;
  const noise = `${numUnrepeatable} of ${numSteps} steps were not repeatable within ${limit} when they were measured`;
  return [gaps, ...(numPadded > 0 ? [padding] : []), ...(numUnrepeatable > 0 ? [noise] : [])];
}

function stepPricer(
  step: WholeStep,
  config: ServerRunConfig,
  deploymentOf: (config: ServerRunConfig) => Deployment,
  place: string,
): StepPricer {
  const priced = (some: ServerRunConfig) => pricedServer(step, some, deploymentOf(some), place);
  const builtIn = { ...config, benchData: null, pricing: pricingConfigSchema.parse({}) };
  return { config, given: priced(config), builtIn: hasOwnPrices(config) ? priced(builtIn) : null };
}

function hasOwnPrices({ benchData, pricing }: ServerRunConfig): boolean {
  const { stepModel, toggleHypotheses, characterization, kernelEfficiency } = pricing;
  const isNamed = [benchData, toggleHypotheses, characterization, kernelEfficiency].some((name) => name !== null);
  return isNamed || stepModel !== "additive";
}

function pricedServer(step: WholeStep, config: ServerRunConfig, deployment: Deployment, place: string): PricedServer {
  const architecture = withLayers(deployment.architecture, step, place);
  const measured = deployment.constants?.waits;
  const constants = { ...deployment.constants, waits: { kernelGapUsPerLayer: 0, ...measured } };
  const server = createServer({ ...deployment, architecture, constants }, config.engine, config.sampling);
  return { server, hasMeasuredGaps: measured?.kernelGapUsPerLayer !== undefined };
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

function kindOf(rows: readonly { readonly kind: "prefill" | "decode" }[]): StepKind {
  const kinds = new Set(rows.map(({ kind }) => kind));
  return kinds.size > 1 ? "mixed" : rows[0]!.kind;
}
