import type { ServerConstants } from "../../core/engine/createServer.js";
import type { GpuSpec } from "../../core/hardware/gpuSpec.js";
import type { Characterization } from "../../core/kernels/characterization/characterization.js";
import {
  bandwidthChanges,
  characterizeEfficiency,
} from "../../core/kernels/characterization/characterizeEfficiency.js";
import type { ModelArchitecture } from "../../core/model/modelArchitecture.js";
import { kernelHandoversPerLayer } from "../../core/stepmodel/kernelHandovers.js";
import { DEFAULT_WAITS } from "../../core/stepmodel/stepWaits.js";
import type { KernelEfficiency } from "../kernelEfficiency.js";

/** What prices kernels, with the constants of the server that were measured on its GPU. */
export interface CharacterizedEfficiency extends KernelEfficiency {
  readonly constants: ServerConstants;
}

/**
 * Puts measured bandwidths and launch gaps in the place of the ones in force, and says by how much they differ.
 * @param characterization null changes nothing
 * @throws ConfigError when another GPU was measured
 */
export function characterized(
  priced: KernelEfficiency,
  architecture: ModelArchitecture,
  gpu: GpuSpec,
  characterization: Characterization | null,
): CharacterizedEfficiency {
  if (characterization === null) return { ...priced, constants: {} };
  const efficiency = characterizeEfficiency(priced.efficiency, gpu, characterization);
  const { launchGap } = characterization;
  const gapUsPerLayer = launchGap === null ? null : launchGap.us * kernelHandoversPerLayer(architecture);
  const changes = bandwidthChanges(priced.efficiency, gpu, characterization).map(
    ({ pattern, fractionBefore, fractionAfter }) =>
      `${pattern} reads ${fractionBefore.toFixed(2)} → ${fractionAfter.toFixed(2)} of datasheet bandwidth`,
  );
  if (gapUsPerLayer !== null) {
    const before = DEFAULT_WAITS.kernelGapUsPerLayer.toFixed(1);
    changes.push(`gaps between kernels ${before} → ${gapUsPerLayer.toFixed(1)} µs per layer`);
  }
  const replaced = priced.source === "modelled" ? `values fitted to ${gpu.id}'s own kernels` : "borrowed values";
  return {
    ...priced,
    efficiency,
    notes: [...priced.notes, `characterisation of ${gpu.id} replaces ${replaced}: ${changes.join(", ")}`],
    constants: gapUsPerLayer === null ? {} : { waits: { kernelGapUsPerLayer: gapUsPerLayer } },
  };
}
