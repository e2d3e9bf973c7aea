import type { RequestErrors } from "./calibrationErrors.js";

/** A calibrated prediction that errs by more than this on a new run is no longer of that server, percent. */
export const STALE_PERCENT = 30;

export interface StalenessVerdict {
  readonly isStale: boolean;
  /** What errs too much, in words; empty when fresh. */
  readonly reasons: readonly string[];
}

/** Judges a calibration by the errors of what it predicts for a run that it was not fitted on. */
export function judgeStaleness({ e2eMape, ttftMape, itlMape }: RequestErrors): StalenessVerdict {
  const metrics: readonly (readonly [string, number | null])[] = [
    ["E2E", e2eMape],
    ["TTFT", ttftMape],
    ["ITL", itlMape],
  ];
  const reasons = metrics
    .filter(([, percent]) => percent !== null && percent > STALE_PERCENT)
    .map(([metric, percent]) => `${metric} errs by ${(percent as number).toFixed(1)} %`);
  if (metrics.every(([, percent]) => percent === null)) reasons.push("no request completed in both worlds");
  return { isStale: reasons.length > 0, reasons };
}
