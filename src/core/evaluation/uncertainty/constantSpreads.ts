import { ANCHORED_FRACTION } from "../../kernels/kernelErrors.js";

/** Constants of a server that no kernel measurement shows. */
export const UNCERTAIN_CONSTANTS = [
  "frontEndUs",
  "frontEndUsPerPromptToken",
  "stepUs",
  "kernelGapUsPerLayer",
  "rankSkewUsPerDoubling",
] as const;
export type UncertainConstant = (typeof UNCERTAIN_CONSTANTS)[number];

/** Standard deviations of the constants about their values, in their own units. */
export type ConstantSpreads = Readonly<Record<UncertainConstant, number>>;

/**
 * What is believed of a server nobody has calibrated.
 * - `frontEndUs`: the median TTFT of six servers is met within 1 ms (root mean square), but all had one client and one kind
 *   of host; an earlier study with one constant for all front-end time needed 7.5 ms for that client and 3 ms for
 *   another.
 * - `frontEndUsPerPromptToken`: half of its value; tokenizers differ.
 * - `stepUs`, CPU time of a step in the open: 1.5 ms in that study, 2 ms here. Hidden by asynchronous scheduling.
 * - `kernelGapUsPerLayer`: 9 µs (nine kernels) with one set of kernel prices, 4 and 7 with others.
 * - `rankSkewUsPerDoubling`: 0 to 1.5 with the same.
 * Waits of the GPU are known better where they were chosen on whole runs (`ANCHORED_FRACTION`).
 * @param isAnchored whether the GPU is one on whose runs the waits were chosen
 * @param fitted standard errors that a calibration gives, by constant; they take the place of beliefs
 */
export function constantSpreads(
  isAsync: boolean,
  isAnchored: boolean,
  fitted: Readonly<Record<string, number>> = {},
): ConstantSpreads {
  const waits = isAnchored ? ANCHORED_FRACTION : 1;
  const believed: ConstantSpreads = {
    frontEndUs: 1000,
    frontEndUsPerPromptToken: 0.5,
    stepUs: isAsync ? 0 : 350,
    kernelGapUsPerLayer: 2 * waits,
    rankSkewUsPerDoubling: waits,
  };
  const known = UNCERTAIN_CONSTANTS.map((name) => [name, fitted[name] ?? believed[name]]);
  return Object.fromEntries(known) as ConstantSpreads;
}
