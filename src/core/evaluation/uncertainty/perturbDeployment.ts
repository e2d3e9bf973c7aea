import type { Deployment, Server, ServerConstants } from "../../engine/createServer.js";
import { ConfigError } from "../../errors/simulationError.js";
import { gpuRoofs } from "../../kernels/gpuRoofs.js";
import type { KernelErrors } from "../../kernels/kernelErrors.js";
import type { KernelPrice } from "../../kernels/kernelModel.js";
import { perturbedKernelModel } from "../../kernels/perturbedKernelModel.js";
import type { Operator } from "../../model/operator.js";
import { DEFAULT_WAITS } from "../../stepmodel/stepWaits.js";
import { constantSpreads, type UncertainConstant } from "./constantSpreads.js";
import type { PossibleWorld } from "./possibleWorld.js";

/** What makes a forecast uncertain: kernel prices, the server's constants, its day, and the workload's own seed. */
export const UNCERTAINTY_SOURCES = ["kernels", "constants", "variation", "seed"] as const;
export type UncertaintySource = (typeof UNCERTAINTY_SOURCES)[number];

/**
 * How much one run of a server differs from the next: standard deviation of ln step time. Two of the measured runs are
 * CodeLlama-34b on two H100 at almost the same load; their steps differ from the predicted ones by +1.0 and −1.1 %,
 * 2.1 % apart and so 1.5 % each (`roofserve evaluate`). A study of published runs saw the latencies of identical runs
 * differ by 2 to 3 %, which at usual loads is as much.
 */
export const VARIATION_SD = 0.015;

/** What is perturbed, where and how. */
export interface Perturbation {
  readonly world: PossibleWorld;
  /** Names the run: each has a variation of its own. */
  readonly run: string;
  readonly sources: ReadonlySet<UncertaintySource>;
}

/**
 * The deployment as it would be in a possible world.
 * @param server built from the deployment as it is believed to be
 * @throws ConfigError for prices whose errors nobody has measured
 */
export function perturbDeployment(deployment: Deployment, server: Server, perturbation: Perturbation): Deployment {
  const { world, run, sources } = perturbation;
  const errors = requireErrors(deployment);
  const variation = sources.has("variation") ? Math.exp(VARIATION_SD * world.normal(`variation/${run}`)) : 1;
  const kernelFactor = sources.has("kernels") ? kernelFactors(errors, deployment.gpu.id, world) : () => 1;
  return {
    ...deployment,
    kernelModel: perturbedKernelModel(
      deployment.kernelModel,
      gpuRoofs(deployment.gpu),
      (operator, price) => variation * kernelFactor(operator, price),
    ),
    constants: {
      ...deployment.constants,
      ...perturbedConstants(deployment, server, variation, sources.has("constants") ? world : null),
    },
  };
}

function requireErrors({ kernelErrors, stepPricing }: Deployment): KernelErrors {
  if (kernelErrors !== undefined && stepPricing === undefined) return kernelErrors;
  const isOwnModel = stepPricing !== undefined;
  const received = isOwnModel
    ? "a step model other than the full additive one (see --step-model, --toggle-hypotheses)"
    : "kernel prices that come without errors";
  const allowed = isOwnModel
    ? "errors are known of the full additive model's prices only: leave out --uncertainty, or what changes the step model"
    : "give a deployment with kernelErrors, as loadDeployment makes it";
  throw new ConfigError([{ path: "--uncertainty", received, allowed }]);
}

/**
 * A factor for every operator of one model. An operator's shape has one error for the whole run, of a size that
 * depends on the work; two shapes have independent ones.
 */
function kernelFactors(errors: KernelErrors, gpuId: string, world: PossibleWorld) {
  const common = Math.exp(errors.commonSd * world.normal(`gpu/${gpuId}`));
  const normals = new Map<string, number>();
  return (operator: Operator, { source }: KernelPrice): number => {
    let normal = normals.get(operator.name);
    if (normal === undefined) {
      normal = world.normal(`kernel/${gpuId}/${operator.name}/${weightShape(operator)}`);
      normals.set(operator.name, normal);
    }
    return common * Math.exp(errors.operatorSd(operator, source) * normal);
  };
}

/** What of an operator's shape is the model's: equal layers of two models share their error. */
function weightShape({ dims }: Operator): string {
  switch (dims.category) {
    case "gemm":
      return `${dims.k}x${dims.n}`;
    case "grouped-gemm":
      return `${dims.numExperts}x${dims.hiddenSize}x${dims.intermediateSize}`;
    case "attention-prefill":
    case "attention-decode":
      return `${dims.numHeads}x${dims.numKvHeads}x${dims.headDim}`;
    case "mla-prefill":
    case "mla-decode":
      return `${dims.numHeads}`;
    case "batched-gemm":
      return `${dims.numMatrices}x${dims.k}x${dims.n}`;
    case "collective":
      return `${dims.numRanks}`;
    default:
      return "";
  }
}

/** Waits vary with the run as kernels do; constants are off by what is not known of them. Never below 0. */
function perturbedConstants(
  { constants = {}, kernelErrors }: Deployment,
  server: Server,
  variation: number,
  world: PossibleWorld | null,
): Pick<ServerConstants, "overheads" | "waits"> {
  const { asyncScheduling } = server.engine;
  const spreads = constantSpreads(asyncScheduling, kernelErrors?.isAnchored ?? false, constants.standardErrors);
  const { overheads } = server.parts;
  const waits = { ...DEFAULT_WAITS, ...constants.waits };
  const offUs = (name: UncertainConstant): number =>
    world === null ? 0 : spreads[name] * world.normal(`constants/${name}`);
  const perturbed = (value: number, name: UncertainConstant): number => Math.max(0, value + offUs(name));
  return {
    overheads: {
      ...overheads,
      frontEndUs: Math.round(perturbed(overheads.frontEndUs, "frontEndUs")),
      frontEndUsPerPromptToken: perturbed(overheads.frontEndUsPerPromptToken, "frontEndUsPerPromptToken"),
      updateUs: asyncScheduling ? overheads.updateUs : Math.round(perturbed(overheads.updateUs, "stepUs")),
    },
    waits: {
      kernelGapUsPerLayer: variation * perturbed(waits.kernelGapUsPerLayer, "kernelGapUsPerLayer"),
      rankSkewUsPerDoubling: variation * perturbed(waits.rankSkewUsPerDoubling, "rankSkewUsPerDoubling"),
      fixedUs: waits.fixedUs + (asyncScheduling ? offUs("stepUs") : 0),
    },
  };
}
