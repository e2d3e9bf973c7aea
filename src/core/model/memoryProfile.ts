import { CapacityError } from "../errors/simulationError.js";
import { BYTES_PER_GIB } from "../units/units.js";
import { capacityKnobs } from "./capacityKnobs.js";
import { ACTIVATION_BYTES } from "./gemmOperator.js";
import { blocksForTokens, uniformKvCacheLayout } from "./kvCacheSize.js";
import type { ModelArchitecture } from "./modelArchitecture.js";
import type { ServingDtypes } from "./operators.js";
import { requireShardable, shardMla } from "./sharding.js";
import { weightBytesPerGpu } from "./weights.js";

/** What decides how many KV blocks fit on a GPU. */
export interface MemoryProfileOptions extends ServingDtypes {
  readonly tensorParallelSize: number;
  /** Bytes the driver reports as total. */
  readonly gpuCapacityBytes: number;
  readonly gpuMemoryUtilization: number;
  readonly maxNumBatchedTokens: number;
  readonly maxNumSeqs: number;
  /** Longest sequence that must fit, in tokens. */
  readonly maxModelLen: number;
  readonly blockSize: number;
}

/** Where the memory of one GPU goes; all bytes per GPU. */
export interface MemoryProfile {
  /** What vLLM may use: capacity × utilisation. */
  readonly requestedBytes: number;
  readonly weightBytes: number;
  /** Peak of the profiling run: a forward pass over a full token budget, or sampling over all rows. */
  readonly activationPeakBytes: number;
  /** CUDA context growth, cuBLAS workspaces, NCCL and all-reduce buffers. */
  readonly nonTorchBytes: number;
  readonly kvCacheBytes: number;
  readonly bytesPerBlock: number;
  readonly numGpuBlocks: number;
}

/** Hidden-size buffers alive at the peak of a forward pass: hidden states, residual, normed input, block output. */
const LIVE_HIDDEN_BUFFERS = 4;
/** Intermediate-size buffers alive at that peak: gate, up and their product. */
const LIVE_INTERMEDIATE_BUFFERS = 3;
/** Cached tokens that latent attention expands at once at most, however long the context. */
const MAX_WORKSPACE_TOKENS = 65536;
/**
 * Bytes per logit at the peak of the profiling run's sampler: 16-bit logits, their fp32 copy, and the values, indices
 * and scratch of PyTorch's sort. Weakly founded: from one public start-up log (vLLM 0.10.1 without FlashInfer,
 * Llama-3.1-8B, 256 rows) on a GPU the log does not name, taken to have 39.5 GiB. It binds only for large vocabularies
 * or many rows; logs with 1024 rows hint at 10 to 26, so the KV cache may then be underestimated by a few percent.
 */
const SAMPLER_BYTES_PER_LOGIT = 33;
/**
 * Fitted on six block counts of vLLM on H100 80 GB (Llama-2-7b TP1, Llama-2-70b TP4, CodeLlama-34b TP1 and TP2,
 * Mixtral-8x7B TP2; budgets 64 to 4096); largest error on these same runs 0.3 % of the blocks. No run was held out.
 */
const NON_TORCH_BYTES = 0.226 * BYTES_PER_GIB;
/** As above, on top with more than one rank. */
const COLLECTIVE_BUFFER_BYTES = 0.43 * BYTES_PER_GIB;

/**
 * How many KV blocks vLLM would allocate, and why.
 * @throws CapacityError when the weights leave no room, or one sequence of `maxModelLen` does not fit
 * @throws ConfigError when the model cannot be split over so many GPUs
 * @see vLLM `vllm/v1/worker/gpu_worker.py`, determine_available_memory
 */
export function memoryProfile(architecture: ModelArchitecture, options: MemoryProfileOptions): MemoryProfile {
  const { tensorParallelSize } = options;
  requireShardable(architecture, tensorParallelSize);
  const { requestedBytes, weightBytes, activationPeakBytes, nonTorchBytes, kvCacheBytes } = memoryShares(
    architecture,
    options,
  );
  const layout = uniformKvCacheLayout(architecture, options);
  if (kvCacheBytes < layout.bytesPerBlock) {
    throw new CapacityError(
      `${architecture.id} does not fit on the GPU with tensor-parallel-size ${tensorParallelSize} (weights, activations and buffers)`,
      weightBytes + activationPeakBytes + nonTorchBytes + layout.bytesPerBlock,
      requestedBytes,
      capacityKnobs(architecture, options, (changed) => fits(architecture, changed)),
    );
  }
  const numGpuBlocks = Math.floor(kvCacheBytes / layout.bytesPerBlock);
  const neededBlocks = blocksForTokens(layout, options.maxModelLen, options);
  if (neededBlocks > numGpuBlocks) {
    throw new CapacityError(
      `one sequence of ${options.maxModelLen} tokens (max-model-len) does not fit in the KV cache of ${architecture.id}`,
      neededBlocks * layout.bytesPerBlock,
      kvCacheBytes,
      ["a smaller --max-model-len", ...capacityKnobs(architecture, options, (changed) => fits(architecture, changed))],
    );
  }
  return {
    requestedBytes,
    weightBytes,
    activationPeakBytes,
    nonTorchBytes,
    kvCacheBytes,
    bytesPerBlock: layout.bytesPerBlock,
    numGpuBlocks,
  };
}

/** KV blocks of one GPU, the null block included: `memoryProfile` for callers that want the count only. */
export function numGpuBlocks(architecture: ModelArchitecture, options: MemoryProfileOptions): number {
  return memoryProfile(architecture, options).numGpuBlocks;
}

function activationPeak(architecture: ModelArchitecture, options: MemoryProfileOptions): number {
  const { hiddenSize, vocabSize, layerGroups } = architecture;
  let widestMlp = 0;
  for (const { intermediateSize, moe } of layerGroups) {
    const routed = moe === null ? 0 : moe.numExpertsPerToken * moe.expertIntermediateSize;
    widestMlp = Math.max(widestMlp, intermediateSize, routed, moe?.sharedIntermediateSize ?? 0);
  }
  const intermediateElements =
    (options.maxNumBatchedTokens * LIVE_INTERMEDIATE_BUFFERS * widestMlp) / options.tensorParallelSize;
  const hiddenElements = options.maxNumBatchedTokens * LIVE_HIDDEN_BUFFERS * hiddenSize;
  const blockElements = Math.max(intermediateElements, contextExpansionElements(architecture, options));
  const forwardBytes = (blockElements + hiddenElements) * ACTIVATION_BYTES;
  const numRows = Math.min(options.maxNumSeqs, options.maxNumBatchedTokens);
  return Math.max(forwardBytes, numRows * vocabSize * SAMPLER_BYTES_PER_LOGIT);
}

/**
 * Elements of the keys and values that latent attention expands from cached tokens at once: the profiling run allocates
 * them for a full workspace. 0 for models without.
 * @see vLLM `vllm/v1/attention/backends/mla/common.py`, determine_chunked_prefill_workspace_size
 */
function contextExpansionElements(architecture: ModelArchitecture, options: MemoryProfileOptions): number {
  const { maxModelLen, maxNumSeqs, blockSize, tensorParallelSize } = options;
  const wanted = Math.min(Math.max(8 * maxModelLen, 4 * maxNumSeqs * blockSize), MAX_WORKSPACE_TOKENS);
  const workspaceTokens = Math.max(wanted, maxNumSeqs * blockSize);
  const elementsPerToken = architecture.layerGroups.map(({ attention }) => {
    if (attention.kind !== "mla") return 0;
    const workspaceSize = attention.kvLoraRank + attention.ropeHeadDim;
    return workspaceSize + shardMla(attention, tensorParallelSize).kvExpandedSize;
  });
  return workspaceTokens * Math.max(0, ...elementsPerToken);
}

/** Whether the weights and one sequence of the longest length would fit. */
function fits(architecture: ModelArchitecture, options: MemoryProfileOptions): boolean {
  const layout = uniformKvCacheLayout(architecture, options);
  const neededBlocks = Math.max(1, blocksForTokens(layout, options.maxModelLen, options));
  return memoryShares(architecture, options).kvCacheBytes >= neededBlocks * layout.bytesPerBlock;
}

/** How one GPU's memory is shared out; what is left for the KV cache may be negative. */
function memoryShares(
  architecture: ModelArchitecture,
  options: MemoryProfileOptions,
): Omit<MemoryProfile, "bytesPerBlock" | "numGpuBlocks"> {
  const { tensorParallelSize, weightDtype } = options;
  const requestedBytes = Math.ceil(options.gpuCapacityBytes * options.gpuMemoryUtilization);
  const weightBytes = weightBytesPerGpu(architecture, tensorParallelSize, weightDtype);
  const activationPeakBytes = activationPeak(architecture, options);
  const nonTorchBytes = NON_TORCH_BYTES + (tensorParallelSize > 1 ? COLLECTIVE_BUFFER_BYTES : 0);
  const kvCacheBytes = Math.floor(requestedBytes - weightBytes - activationPeakBytes - nonTorchBytes);
  return { requestedBytes, weightBytes, activationPeakBytes, nonTorchBytes, kvCacheBytes };
}
