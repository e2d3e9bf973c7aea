import { BYTES_PER_GIB } from "../units/units.js";
import type { GpuSpec } from "./gpuSpec.js";

const LARGE_MEMORY_BYTES = 70 * BYTES_PER_GIB;

/**
 * Whether vLLM gives this GPU its larger default batch limits: at least 70 GiB, and no A100.
 * @see vLLM `vllm/engine/arg_utils.py`, default batch limits by device
 */
export function isLargeMemoryClass(gpu: GpuSpec): boolean {
  return gpu.memory.capacityBytes >= LARGE_MEMORY_BYTES && !/a100/i.test(gpu.name);
}

/** vLLM's limits of `vllm serve` where the user gives none. */
export interface DefaultBatchLimits {
  readonly maxNumBatchedTokens: number;
  readonly maxNumSeqs: number;
}

export function defaultBatchLimits(gpu: GpuSpec): DefaultBatchLimits {
  return isLargeMemoryClass(gpu)
    ? { maxNumBatchedTokens: 8192, maxNumSeqs: 1024 }
    : { maxNumBatchedTokens: 2048, maxNumSeqs: 256 };
}
