import type { EngineConfig, SamplingConfig } from "../config/engineConfig.js";
import { vllmVersionTraits } from "../config/vllmVersion.js";
import { ConfigError, type ConfigIssue } from "../errors/simulationError.js";
import type { GpuSpec } from "../hardware/gpuSpec.js";
import { defaultBatchLimits } from "../hardware/memoryClass.js";
import { hasLatentAttention } from "../model/layerKinds.js";
import type { ModelArchitecture } from "../model/modelArchitecture.js";
import type { SamplingTraits, ServingDtypes } from "../model/operators.js";
import { unquantizedDtype } from "../model/weights.js";
import type { KvDtype, WeightDtype } from "../units/dtype.js";

/** An engine config whose defaults are all filled in, as vLLM fills them for an API server. */
export type ResolvedEngineConfig = EngineConfig & {
  readonly maxNumSeqs: number;
  readonly maxNumBatchedTokens: number;
  readonly maxModelLen: number;
  readonly asyncScheduling: boolean;
};

/**
 * Fills what was left to vLLM from the GPU and the model, then checks that the limits fit each other.
 * @throws ConfigError listing every limit that does not
 * @see vLLM `vllm/engine/arg_utils.py`: the API server's defaults, post-processed only where not given
 */
export function resolveEngine(
  engine: EngineConfig,
  architecture: ModelArchitecture,
  gpu: GpuSpec,
): ResolvedEngineConfig {
  const maxModelLen = engine.maxModelLen ?? architecture.maxPositionEmbeddings;
  const defaults = defaultBatchLimits(gpu);
  let maxNumBatchedTokens = engine.maxNumBatchedTokens ?? defaults.maxNumBatchedTokens;
  let maxNumSeqs = engine.maxNumSeqs ?? defaults.maxNumSeqs;
  if (engine.maxNumBatchedTokens === null) {
    if (!engine.enableChunkedPrefill) maxNumBatchedTokens = Math.max(maxNumBatchedTokens, maxModelLen);
    maxNumBatchedTokens = Math.min(maxNumBatchedTokens, maxNumSeqs * maxModelLen);
  }
  if (engine.maxNumSeqs === null) maxNumSeqs = Math.min(maxNumSeqs, maxNumBatchedTokens);
  const blockSize = resolveBlockSize(engine.blockSize, architecture, gpu);
  const asyncScheduling = resolveAsyncScheduling(engine);
  const resolved = { ...engine, blockSize, maxNumSeqs, maxNumBatchedTokens, maxModelLen, asyncScheduling };
  const issues = limitIssues(resolved, architecture);
  if (issues.length > 0) throw new ConfigError(issues);
  return resolved;
}

/** Tokens per block that kernels of latent attention ask for. */
const LATENT_BLOCK_TOKENS = 64;

/**
 * vLLM raises the block size of latent attention to what FlashMLA (Hopper) and FlashInfer (Blackwell) ask for, whatever was
 * said. GPUs are told apart by fp8, so that Ada, whose Triton kernel would do with less, gets the larger blocks too.
 * @see vLLM `vllm/platforms/cuda.py`, check_and_update_config
 */
function resolveBlockSize(blockSize: number, architecture: ModelArchitecture, gpu: GpuSpec): number {
  const asksForMore = hasLatentAttention(architecture) && gpu.compute.fp8FlopsPerS !== null;
  return asksForMore && blockSize % LATENT_BLOCK_TOKENS !== 0 ? LATENT_BLOCK_TOKENS : blockSize;
}

/** Whether steps are scheduled while one runs: as said, else as the version does. */
export function resolveAsyncScheduling(engine: Pick<EngineConfig, "asyncScheduling" | "vllmVersion">): boolean {
  return engine.asyncScheduling ?? vllmVersionTraits(engine.vllmVersion).isAsyncByDefault;
}

function limitIssues(engine: ResolvedEngineConfig, architecture: ModelArchitecture): ConfigIssue[] {
  const { maxNumSeqs, maxNumBatchedTokens, maxModelLen, enableChunkedPrefill } = engine;
  const issues: ConfigIssue[] = [];
  if (maxNumBatchedTokens < maxNumSeqs) {
    const allowed = `must be ≥ maxNumSeqs (${maxNumSeqs}), or running requests would starve`;
    issues.push({ path: "engine.maxNumBatchedTokens", received: String(maxNumBatchedTokens), allowed });
  }
  if (!enableChunkedPrefill && maxNumBatchedTokens < maxModelLen) {
    const allowed = `must be ≥ maxModelLen (${maxModelLen}) when chunked prefill is off`;
    issues.push({ path: "engine.maxNumBatchedTokens", received: String(maxNumBatchedTokens), allowed });
  }
  if (maxModelLen > architecture.maxPositionEmbeddings) {
    const allowed = `must be ≤ ${architecture.maxPositionEmbeddings}, the positions of ${architecture.id}`;
    issues.push({ path: "engine.maxModelLen", received: String(maxModelLen), allowed });
  }
  return issues;
}

/** Element types a model is served with: what the user says, else the checkpoint's. */
export function resolveDtypes(engine: EngineConfig, architecture: ModelArchitecture): ServingDtypes {
  const checkpoint = architecture.weightDtype;
  const activation = engine.dtype === "auto" ? unquantizedDtype(checkpoint) : sixteenBit(engine.dtype);
  const isQuantizedCheckpoint = checkpoint === "fp8" || checkpoint === "int4";
  let weightDtype: WeightDtype = isQuantizedCheckpoint ? checkpoint : activation;
  if (engine.quantization !== null) weightDtype = engine.quantization === "fp8" ? "fp8" : "int4";
  const { kvCacheDtype } = engine;
  const kvDtype: KvDtype = kvCacheDtype === "auto" ? activation : kvCacheDtype === "bfloat16" ? "bf16" : "fp8";
  return { weightDtype, kvDtype };
}

function sixteenBit(name: Exclude<EngineConfig["dtype"], "auto">): "bf16" | "fp16" {
  return name === "bf16" || name === "bfloat16" ? "bf16" : "fp16";
}

/** Whether vLLM sorts the logits: top-p below 1 or top-k is in force, from the request or the model's defaults. */
export function resolveSampling(sampling: SamplingConfig, architecture: ModelArchitecture): SamplingTraits {
  const isGreedy = sampling.temperature === 0;
  const topP = sampling.topP ?? architecture.defaultSampling?.topP ?? 1;
  const topK = sampling.topK ?? architecture.defaultSampling?.topK ?? 0;
  return { sortsLogits: !isGreedy && (topP < 1 || topK > 0) };
}
