import type { Regime, RegimeLabel } from "./regime.js";

/** Regimes by which errors are told apart: a closed loop passes errors on one to one, however full the server is. */
export const REGIME_GROUPS = ["below", "near", "past", "closedLoop"] as const satisfies readonly (
  | RegimeLabel
  | "closedLoop"
)[];
export type RegimeGroup = (typeof REGIME_GROUPS)[number];

export function regimeGroup({ label, closedLoop }: Pick<Regime, "label" | "closedLoop">): RegimeGroup {
  return closedLoop ? "closedLoop" : label;
}

/** How far predictions were off measured runs of one regime: mean |error| over the runs, percent. */
export interface SeenErrors {
  readonly numRuns: number;
  readonly e2eMeanApe: number;
  /** Of the worst run. */
  readonly e2eMeanApeMax: number;
  readonly ttftMeanApe: number;
  readonly itlMeanApe: number;
}

/** The GPU of the runs that errors were seen on. */
export const SEEN_GPU = "H100";

/**
 * Errors on public runs of vLLM on H100 (six of inference-perf, five benchmarks of GuideLLM), which the server's
 * constants were chosen on: what to hope for, not a promise. null where no run has been measured.
 * @see printed by `npx tsx eval/regime/seenErrors.ts <ground truth>`; a test keeps them true
 */
const SEEN_ERRORS: Readonly<Record<RegimeGroup, SeenErrors | null>> = {
  below: { numRuns: 7, e2eMeanApe: 1.1, e2eMeanApeMax: 2.6, ttftMeanApe: 4.2, itlMeanApe: 0.8 },
  near: { numRuns: 2, e2eMeanApe: 7.1, e2eMeanApeMax: 12.3, ttftMeanApe: 9.5, itlMeanApe: 1.9 },
  past: null,
  closedLoop: { numRuns: 2, e2eMeanApe: 1.9, e2eMeanApeMax: 2, ttftMeanApe: 2.7, itlMeanApe: 0.9 },
};

/** What is known of predictions in a run's regime; null when nothing is. */
export function seenErrors(regime: Pick<Regime, "label" | "closedLoop">): SeenErrors | null {
  return SEEN_ERRORS[regimeGroup(regime)];
}
