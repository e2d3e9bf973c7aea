import type { RunSummary } from "../core/engine/simulate.js";
import { type RegimeGroup, regimeGroup } from "../core/metrics/regimeErrors.js";
import { printNumber } from "./textTable.js";

/** The regimes as people call them. */
export const REGIME_NAMES: Readonly<Record<RegimeGroup, string>> = {
  below: "below",
  near: "near",
  past: "past",
  closedLoop: "closed loop",
};

/** How far to trust a run's latencies, in one sentence: its regime, and the errors seen there. */
export function trust(regime: RunSummary["regime"]): string {
  const { seenErrors } = regime;
  const seen =
    seenErrors === null
      ? "no measured run to compare with"
      : `${seenErrors.numRuns} measured ${seenErrors.numRuns === 1 ? "run" : "runs"} erred by ` +
        `${printNumber(seenErrors.e2eMeanApe)} % end to end (worst ${printNumber(seenErrors.e2eMeanApeMax)} %), ` +
        `TTFT ${printNumber(seenErrors.ttftMeanApe)} %`;
  return `${standing(regime)}: ${seen}.`;
}

function standing(regime: RunSummary["regime"]): string {
  const share = `load share ${printNumber(100 * regime.utilisation, 0)} %`;
  const amplification = printNumber(1 / (1 - regime.utilisation));
  const words: Readonly<Record<RegimeGroup, string>> = {
    below: `Below saturation (${share}), where 1 % of step time is about ${amplification} % of latency`,
    near: `Near saturation (${share}), where 1 % of step time is 2 % of latency or more`,
    past: "Past saturation, where latencies grow with the length of the run",
    closedLoop: `In a closed loop (${share}), where 1 % of step time is 1 % of latency`,
  };
  return words[regimeGroup(regime)];
}
