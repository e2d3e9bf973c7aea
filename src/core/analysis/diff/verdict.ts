import type { Interval } from "../../metrics/interval.js";

/**
 * `change`: other requests of this workload would show it too. `chance`: the interval holds 0. `none`: nothing changed.
 * `unknown`: there is no interval to tell by.
 */
export type Verdict = "change" | "chance" | "none" | "unknown";

/** @param interval of a mean change that is not 0 everywhere */
export function verdictOf(interval: Interval | null): Verdict {
  if (interval === null) return "unknown";
  return interval.low > 0 || interval.high < 0 ? "change" : "chance";
}
