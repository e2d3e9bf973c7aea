import { ConfigError } from "../../errors/simulationError.js";
import type { GpuSpec } from "../../hardware/gpuSpec.js";
import type { GpuEfficiency } from "../gpuEfficiency.js";
import { type GpuRoofs, gpuRoofs } from "../gpuRoofs.js";
import {
  type EfficiencyScales,
  rescaleDecodeAttention,
  rescaleLinear,
  rescaleMla,
  rescalePrefillAttention,
} from "../rescaleEfficiency.js";
import { achievedFractions } from "./achievedFractions.js";
import { ACCESS_PATTERNS, type AccessPattern, type Characterization } from "./characterization.js";

/** How a measurement changes what kernels of one access pattern reach; fractions of datasheet bandwidth. */
export interface BandwidthChange {
  readonly pattern: AccessPattern;
  /** What they reach without the characterisation, streaming large shapes. */
  readonly fractionBefore: number;
  readonly fractionAfter: number;
}

/** What a characterisation changes in efficiencies; patterns that were not measured are not listed. */
export function bandwidthChanges(
  efficiency: GpuEfficiency,
  gpu: GpuSpec,
  characterization: Characterization,
): BandwidthChange[] {
  const inForce = achievedFractions(efficiency);
  return ACCESS_PATTERNS.flatMap((pattern) => {
    const measured = characterization[pattern];
    if (measured === null) return [];
    const fractionAfter = Math.min(1, measured.bytesPerS / gpu.memory.bandwidthBytesPerS);
    return [{ pattern, fractionBefore: inForce[pattern], fractionAfter }];
  });
}

/**
 * Puts measured bandwidths in the place of the ones in force: sequential reads for matrix products, experts, small
 * kernels and sampling; scattered reads for decode attention; mixed ones for prefill attention.
 *
 * What 16-bit kernels reach on large shapes (`achievedFractions`) becomes what was measured, and every kernel of the
 * pattern changes by the same factor: an fp8 product that loses time to quantising does not lose less of it because
 * memory is fast. Where efficiencies were borrowed from a relative, their guessed slowdown of memory so drops out. Times
 * of arithmetic, launches and waves stay.
 * @throws ConfigError when another GPU was measured
 */
export function characterizeEfficiency(
  efficiency: GpuEfficiency,
  gpu: GpuSpec,
  characterization: Characterization,
): GpuEfficiency {
  requireSameGpu(gpu, characterization);
  const roofs = gpuRoofs(gpu);
  let characterized = efficiency;
  for (const { pattern, fractionBefore, fractionAfter } of bandwidthChanges(efficiency, gpu, characterization)) {
    if (fractionAfter === fractionBefore) continue;
    const scales: EfficiencyScales = {
      memorySlowdown: fractionBefore / fractionAfter,
      computeSlowdown: 1,
      memoryTimeRatio: 1,
      computeTimeRatio: 1,
    };
    characterized = { ...characterized, ...rescaledFamilies(pattern, efficiency, roofs, scales) };
  }
  return characterized;
}

function rescaledFamilies(
  pattern: AccessPattern,
  efficiency: GpuEfficiency,
  roofs: GpuRoofs,
  scales: EfficiencyScales,
): Partial<GpuEfficiency> {
  const { mla } = efficiency;
  switch (pattern) {
    case "sequential":
      return rescaleLinear(efficiency, roofs, scales);
    case "scattered":
      return {
        decodeAttention: rescaleDecodeAttention(efficiency, roofs, scales),
        ...(mla && { mla: { ...mla, decode: rescaleMla(mla, roofs, { decode: scales, prefill: scales }).decode } }),
      };
    case "mixed":
      return { prefillAttention: rescalePrefillAttention(efficiency, scales) };
  }
}

function requireSameGpu(gpu: GpuSpec, characterization: Characterization): void {
  if (characterization.gpu.toLowerCase() === gpu.id.toLowerCase()) return;
  const allowed = `must be one of ${gpu.id}, the GPU that is priced; measure that one, or leave the option out`;
  throw new ConfigError([
    { path: "--characterization", received: `a characterisation of ${characterization.gpu}`, allowed },
  ]);
}
