import { type PricingConfig, toggledHypotheses } from "../core/config/pricingConfig.js";
import type { RunConfig } from "../core/engine/runConfig.js";
import { stepSwitches } from "../core/stepmodel/stepSwitches.js";

/** What prices the steps, in words; empty for the plain additive model. */
export function pricedBy({ pricing, benchData }: Pick<RunConfig, "pricing" | "benchData">): string {
  const { stepModel, toggleHypotheses, calibration, characterization, kernelEfficiency } = pricing;
  const toggled =
    toggleHypotheses === null
      ? ""
      : ` ${stepModel === "additive" ? "without" : "with"} ${[...toggledHypotheses(pricing)].join(",")}`;
  const parts = [
    stepModel === "additive" && toggleHypotheses === null ? "" : `${stepModel}${toggled}`,
    benchData === null ? "" : `kernel tables ${benchData}`,
    kernelEfficiency === null ? "" : `kernel efficiencies ${kernelEfficiency}`,
    calibration === null ? "" : `calibration ${calibration}`,
    characterization === null || !usesCharacterization(pricing) ? "" : `characterization ${characterization}`,
  ].filter((text) => text !== "");
  return parts.length === 0 ? "" : `priced by ${parts.join(", ")}`;
}

/** Bandwidths are part of H1, launch gaps of H2: a step model without both prices as if nothing had been measured. */
function usesCharacterization(pricing: PricingConfig): boolean {
  const hypotheses = stepSwitches(pricing.stepModel, toggledHypotheses(pricing))?.hypotheses;
  return hypotheses?.has("H1") === true || hypotheses?.has("H2") === true;
}
