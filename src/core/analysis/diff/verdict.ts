import type { Interval } from "../../metrics/interval.js";

/**
 * `change`: other requests of this workload would show it too. `chance`: the interval holds 0. `none`: nothing changed.
 * `unknown`: there is no interval to tell by.
 */
export type Verdict = "change" | "chance" | "none" | "unknown";

/** Of a number that two groups of runs have, from an interval of each: that these lie apart is no chance. */
export function apartVerdict(a: Interval | null, b: Interval | null): Verdict {
  if (a === null || b === null) return "unknown";
  return a.high < b.low || b.high < a.low ? "change" : "chance";
}

/** @param interval of a mean change that is not 0 everywhere */
export function verdictOf(interval: Interval | null): Verdict {
  if (interval === null) return "unknown";
  return interval.low > 0 || interval.high < 0 ? "change" : "chance";
}
