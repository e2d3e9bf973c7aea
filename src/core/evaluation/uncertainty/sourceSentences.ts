import type { Deployment } from "../../engine/createServer.js";
import { VARIATION_SD } from "./perturbDeployment.js";

/** What was taken for uncertain in a run, for its readers; spreads are standard deviations. */
export function sourceSentences({ gpu, kernelErrors, constants }: Deployment, isGenerated: boolean): string[] {
  const commonSd = kernelErrors?.commonSd ?? 0;
  const borrowed =
    commonSd > 0 ? [`efficiencies borrowed for ${gpu.id}: ${percent(commonSd)} common to all kernels`] : [];
  const fitted = Object.keys(constants?.standardErrors ?? {});
  return [
    "kernel prices: every shape on its own, by what the fits missed of shapes that they had not seen",
    ...borrowed,
    fitted.length === 0
      ? "server constants: as believed of a server that nobody has calibrated"
      : `server constants: standard errors of the calibration (${fitted.join(", ")}), the others as believed`,
    `one run of a server to the next: ${percent(VARIATION_SD)} of step time`,
    ...(isGenerated ? ["the workload: another seed in every draw"] : []),
  ];
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}
