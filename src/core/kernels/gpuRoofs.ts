import type { GpuSpec } from "../hardware/gpuSpec.js";
import { US_PER_S } from "../units/units.js";

/** Datasheet limits of a GPU in the units prices are computed in. */
export interface GpuRoofs {
  readonly bytesPerUs: number;
  readonly bf16FlopsPerUs: number;
  /** bf16's on a chip without fp8 tensor cores. */
  readonly fp8FlopsPerUs: number;
  readonly numSms: number;
  /** Bytes per µs one GPU can send to its peers. */
  readonly linkBytesPerUs: number;
}

export function gpuRoofs(gpu: GpuSpec): GpuRoofs {
  return {
    bytesPerUs: gpu.memory.bandwidthBytesPerS / US_PER_S,
    bf16FlopsPerUs: gpu.compute.bf16FlopsPerS / US_PER_S,
    fp8FlopsPerUs: (gpu.compute.fp8FlopsPerS ?? gpu.compute.bf16FlopsPerS) / US_PER_S,
    numSms: gpu.compute.numSms,
    linkBytesPerUs: gpu.interconnect.bandwidthBytesPerS / US_PER_S,
  };
}
