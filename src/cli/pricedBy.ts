import type { RunConfig } from "../core/engine/runConfig.js";

/** What prices the steps, in words; empty for the plain additive model. */
export function pricedBy({ pricing, benchData }: Pick<RunConfig, "pricing" | "benchData">): string {
  const { stepModel, toggleHypotheses, calibration, characterization } = pricing;
  const toggled =
    toggleHypotheses === null ? "" : ` ${stepModel === "additive" ? "without" : "with"} ${toggleHypotheses}`;
  const parts = [
    stepModel === "additive" && toggleHypotheses === null ? "" : `${stepModel}${toggled}`,
    benchData === null ? "" : `kernel tables ${benchData}`,
    calibration === null ? "" : `calibration ${calibration}`,
    characterization === null ? "" : `characterization ${characterization}`,
  ].filter((text) => text !== "");
  return parts.length === 0 ? "" : `priced by ${parts.join(", ")}`;
}
