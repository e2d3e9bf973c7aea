import type { EngineConfig, SamplingConfig } from "../config/engineConfig.js";
import { vllmVersionTraits } from "../config/vllmVersion.js";
import { CapacityError } from "../errors/simulationError.js";
import type { GpuSpec } from "../hardware/gpuSpec.js";
import { gpuRoofs } from "../kernels/gpuRoofs.js";
import type { KernelErrors } from "../kernels/kernelErrors.js";
import type { KernelModel } from "../kernels/kernelModel.js";
import { ExtentKvCache } from "../kv/extentKvCache.js";
import type { ClientResidual } from "../metrics/clientResidual.js";
import { capacityKnobs } from "../model/capacityKnobs.js";
import { type MemoryProfileOptions, memoryProfile } from "../model/memoryProfile.js";
import type { ModelArchitecture } from "../model/modelArchitecture.js";
import { requireShardable } from "../model/sharding.js";
import { weightBytesPerGpu } from "../model/weights.js";
import { Scheduler } from "../scheduler/scheduler.js";
import { schedulerConfig } from "../scheduler/schedulerConfig.js";
import { cudaGraphCaptureSizes } from "../stepmodel/cudaGraph.js";
import { RooflineV1StepModel } from "../stepmodel/rooflineV1StepModel.js";
import { type ServerOverheads, serverOverheads } from "../stepmodel/serverOverheads.js";
import type { StepModel } from "../stepmodel/stepModel.js";
import type { StepPlan } from "../stepmodel/stepPlan.js";
import { BASELINE_WAITS, isFullModel, type StepSwitches } from "../stepmodel/stepSwitches.js";
import { DEFAULT_WAITS, type WaitConstants } from "../stepmodel/stepWaits.js";
import { SwitchedStepModel } from "../stepmodel/switchedStepModel.js";
import { keptStepModel } from "./keptStepModels.js";
import { type ResolvedEngineConfig, resolveDtypes, resolveEngine, resolveSampling } from "./resolveEngine.js";
import type { ServerParts } from "./serverLoop.js";

/** Constants that no kernel measurement shows, in place of the built-in ones. */
export interface ServerConstants {
  readonly overheads?: Partial<ServerOverheads>;
  readonly waits?: Partial<WaitConstants>;
  /** What clients see beyond the server. */
  readonly residual?: ClientResidual;
  /** Standard errors of those that were fitted, by calibration term: `frontEndUs`, `kernelGapUsPerLayer`, … */
  readonly standardErrors?: Readonly<Record<string, number>>;
}

/** A step model other than the additive one. */
export type StepPricing =
  | { readonly kind: "roofline-v1" }
  | {
      readonly kind: "switched";
      readonly switches: StepSwitches;
      /** Fraction of datasheet bandwidth of kernels priced by MFU; 1 without H1. */
      readonly bandwidthFraction: number;
    };

/** Blocks of vLLM's pool that are never handed out. */
const NUM_NULL_BLOCKS = 1;

/** A model on a GPU, with what prices its kernels. */
export interface Deployment {
  readonly architecture: ModelArchitecture;
  readonly gpu: GpuSpec;
  readonly kernelModel: KernelModel;
  /** How wrong its prices may be; without it there is no uncertainty of a run to speak of. */
  readonly kernelErrors?: KernelErrors;
  /** How steps are priced where not by the additive model; `kernelModel` must be the one it asks for. */
  readonly stepPricing?: StepPricing;
  /** Constants of the server where they are not the built-in ones. */
  readonly constants?: ServerConstants;
  /**
   * What a reader of a result should know of how its kernels were priced; asked after the run. Of kernels without a table it
   * names those of every run of the deployment so far.
   */
  readonly notes?: () => readonly string[];
}

/** A server ready to run, and how its open settings were resolved. */
export interface Server {
  readonly parts: ServerParts;
  readonly engine: ResolvedEngineConfig;
  readonly stepModel: StepModel;
  /** What clients see beyond the server; null = nothing. */
  readonly residual: ClientResidual | null;
}

/**
 * Builds a simulated vLLM server: the one place that picks implementations.
 * Sliding-window layers take KV blocks as full attention does (vLLM with its hybrid KV cache manager off), so models
 * that mix both keep fewer tokens here than a server with that manager on; attention time does know the window.
 * @throws ConfigError for limits that do not fit each other, CapacityError when the model does not fit the GPU
 */
export function createServer(deployment: Deployment, engineConfig: EngineConfig, sampling: SamplingConfig): Server {
  const { architecture, gpu, kernelModel, stepPricing = null } = deployment;
  const engine = resolveEngine(engineConfig, architecture, gpu);
  const dtypes = resolveDtypes(engine, architecture);
  const { tensorParallelSize, maxNumSeqs, maxNumBatchedTokens, maxModelLen, blockSize } = engine;
  requireShardable(architecture, tensorParallelSize);
  const memory = {
    ...dtypes,
    tensorParallelSize,
    gpuCapacityBytes: gpu.memory.capacityBytes,
    gpuMemoryUtilization: engine.gpuMemoryUtilization,
    maxNumBatchedTokens,
    maxNumSeqs,
    maxModelLen,
    blockSize,
  };
  const numGpuBlocks = engine.numGpuBlocksOverride ?? memoryProfile(architecture, memory).numGpuBlocks;
  requireWeightsFit(architecture, memory);
  const kvCache = new ExtentKvCache(numGpuBlocks - NUM_NULL_BLOCKS, {
    blockSize,
    enablePrefixCaching: engine.enablePrefixCaching,
  });
  const traits = vllmVersionTraits(engine.vllmVersion);
  const constants = serverConstants(deployment, engine.asyncScheduling);
  const stepModel = createStepModel(gpu, stepPricing, {
    architecture,
    parallelism: { tensorParallelSize },
    dtypes,
    sampling: resolveSampling(sampling, architecture),
    kernelModel,
    captureSizes: cudaGraphCaptureSizes(engine.vllmVersion, maxNumSeqs, maxNumBatchedTokens, 0),
    waits: constants.waits,
  });
  const scheduler = new Scheduler(
    schedulerConfig({
      maxNumSeqs,
      maxNumBatchedTokens,
      maxModelLen,
      enableChunkedPrefill: engine.enableChunkedPrefill,
      longPrefillTokenThreshold: engine.longPrefillTokenThreshold,
      schedulingPolicy: engine.schedulingPolicy,
      noChunkRule: traits.noChunkRule,
      asyncScheduling: engine.asyncScheduling,
    }),
    kvCache,
    { useLockstep: stepModel.pricesLockstep },
  );
  const parts = {
    scheduler,
    stepModel,
    overheads: constants.overheads,
    maxNumSeqs,
    numGpuBlocks,
    queueDepth: engine.asyncScheduling ? 2 : 1,
  };
  return { parts, engine, stepModel, residual: deployment.constants?.residual ?? null };
}

function createStepModel(gpu: GpuSpec, pricing: StepPricing | null, plan: StepPlan): StepModel {
  if (pricing === null) return keptStepModel(plan);
  if (pricing.kind === "roofline-v1") return new RooflineV1StepModel(plan, gpuRoofs(gpu));
  if (isFullModel(pricing.switches)) return keptStepModel(plan);
  return new SwitchedStepModel(plan, { ...pricing, roofs: gpuRoofs(gpu) });
}

/** The deployment's own constants over those of its step model. Without H2 a step costs its GPU time and a constant. */
function serverConstants(
  { stepPricing, constants = {} }: Deployment,
  isAsync: boolean,
): { overheads: ServerOverheads; waits: WaitConstants } {
  const overheads = serverOverheads(isAsync);
  const hasStepCpu =
    stepPricing === undefined || (stepPricing.kind === "switched" && stepPricing.switches.hypotheses.has("H2"));
  return {
    overheads: { ...overheads, ...(hasStepCpu ? {} : { scheduleUs: 0, updateUs: 0 }), ...constants.overheads },
    waits: { ...(hasStepCpu ? DEFAULT_WAITS : BASELINE_WAITS), ...constants.waits },
  };
}

/** Told its number of KV blocks, a server asks for no memory profile; its weights must still fit. */
function requireWeightsFit(architecture: ModelArchitecture, memory: MemoryProfileOptions): void {
  const weightBytes = (options: MemoryProfileOptions) =>
    weightBytesPerGpu(architecture, options.tensorParallelSize, options.weightDtype);
  const availableBytes = (options: MemoryProfileOptions) => options.gpuCapacityBytes * options.gpuMemoryUtilization;
  const fits = (options: MemoryProfileOptions) => weightBytes(options) < availableBytes(options);
  if (fits(memory)) return;
  throw new CapacityError(
    `the weights of ${architecture.id} do not fit on the GPU with tensor-parallel-size ${memory.tensorParallelSize}`,
    weightBytes(memory),
    availableBytes(memory),
    capacityKnobs(architecture, memory, fits),
  );
}
