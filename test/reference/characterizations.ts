import type { GpuSpec } from "../../src/core/hardware/gpuSpec.js";
import {
  ACCESS_PATTERNS,
  type AccessPattern,
  type AchievedBandwidth,
  type Characterization,
} from "../../src/core/kernels/characterization/characterization.js";

/** A characterisation with these fractions of datasheet bandwidth; a pattern that is left out was not measured. */
export function characterizationOf(
  gpu: GpuSpec,
  fractions: Readonly<Partial<Record<AccessPattern, number>>>,
  launchGapUs: number | null = null,
): Characterization {
  const [sequential, scattered, mixed] = ACCESS_PATTERNS.map((pattern): AchievedBandwidth | null => {
    const fraction = fractions[pattern];
    if (fraction === undefined) return null;
    return {
      bytesPerS: fraction * gpu.memory.bandwidthBytesPerS,
      fraction,
      blockBytes: pattern === "sequential" ? null : 32_768,
      launchUs: 3,
      spreadFraction: 0.01,
      numRows: 10,
      numCachedRows: 0,
    };
  });
  return {
    schema: "roofserve.characterization/1",
    gpu: gpu.id,
    source: "a test",
    datasheetBytesPerS: gpu.memory.bandwidthBytesPerS,
    sequential: sequential!,
    scattered: scattered!,
    mixed: mixed!,
    launchGap: launchGapUs === null ? null : { us: launchGapUs, spreadUs: 0.01, numRows: 10 },
  };
}
