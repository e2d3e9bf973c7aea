import type { Hypothesis } from "../../core/config/pricingConfig.js";
import type { GpuSpec } from "../../core/hardware/gpuSpec.js";
import type { Characterization } from "../../core/kernels/characterization/characterization.js";
import {
  bandwidthChanges,
  characterizeEfficiency,
} from "../../core/kernels/characterization/characterizeEfficiency.js";
import type { ModelArchitecture } from "../../core/model/modelArchitecture.js";
import { kernelHandoversPerLayer } from "../../core/stepmodel/kernelHandovers.js";
import { DEFAULT_WAITS, type WaitConstants } from "../../core/stepmodel/stepWaits.js";
import type { KernelEfficiency } from "../kernelEfficiency.js";

/** What prices kernels, and the waits between them where they were measured. */
export interface CharacterizedEfficiency extends KernelEfficiency {
  readonly waits: Pick<WaitConstants, "kernelGapUsPerLayer"> | null;
}

/**
 * Puts measured bandwidths and launch gaps in the place of the ones in force, and says by how much they differ.
 * @param characterization null changes nothing
 * @param hypotheses corrections that the step model has; bandwidths are part of H1, launch gaps of H2
 * @throws ConfigError when another GPU was measured
 */
export function characterized(
  priced: KernelEfficiency,
  architecture: ModelArchitecture,
  gpu: GpuSpec,
  characterization: Characterization | null,
  hypotheses: ReadonlySet<Hypothesis>,
): CharacterizedEfficiency {
  if (characterization === null) return { ...priced, waits: null };
  const fit = characterizeEfficiency(priced.fit, gpu, characterization);
  const hasBandwidth = hypotheses.has("H1");
  const { launchGap } = characterization;
  const kernelGapUsPerLayer =
    launchGap === null || !hypotheses.has("H2") ? null : launchGap.us * kernelHandoversPerLayer(architecture);
  const changes = !hasBandwidth
    ? []
    : bandwidthChanges(priced.fit, gpu, characterization).map(
        ({ pattern, fractionBefore, fractionAfter }) =>
          `${pattern} reads ${fractionBefore.toFixed(2)} → ${fractionAfter.toFixed(2)} of datasheet bandwidth`,
      );
  if (kernelGapUsPerLayer !== null) {
    const before = DEFAULT_WAITS.kernelGapUsPerLayer.toFixed(1);
    changes.push(`gaps between kernels ${before} → ${kernelGapUsPerLayer.toFixed(1)} µs per layer`);
  }
  return {
    ...priced,
    fit: hasBandwidth ? fit : priced.fit,
    notes: [...priced.notes, changesNote(priced, gpu, changes)],
    waits: kernelGapUsPerLayer === null ? null : { kernelGapUsPerLayer },
  };
}

function changesNote({ source }: KernelEfficiency, gpu: GpuSpec, changes: readonly string[]): string {
  if (changes.length === 0) return `characterisation of ${gpu.id} is not used: the step model has no such corrections`;
  const replaced = source === "modelled" ? `values fitted to ${gpu.id}'s own kernels` : "borrowed values";
  return `characterisation of ${gpu.id} replaces ${replaced}: ${changes.join(", ")}`;
}
