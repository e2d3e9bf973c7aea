import { MS_PER_S } from "../../units/units.js";
import type { SweepRun } from "./sweepRun.js";

/** How many mean latencies must lie between the first and the last arrival of a run that shows a server's steady state. */
export const SETTLED_LATENCIES = 10;

/**
 * Whether an open loop's run lasted long enough to show what its load does to the server. Under a load that it cannot carry
 * the requests in service, and with them latency, grow until as many run as may: before that no queue grows, and a run
 * that ends there looks like one that is carried. Latencies that grow for as long as requests come keep their mean above a
 * tenth of that time while the load is a fifth or more beyond what is carried.
 */
export function isSettled(
  run: Pick<SweepRun, "arrivalSpanS" | "e2eMs" | "turnsPerStart">,
  numLatencies: number = SETTLED_LATENCIES,
): boolean {
  return run.arrivalSpanS >= settlingS(run, numLatencies);
}

/** So many mean latencies, s. A session is in service for those of all its turns. */
export function settlingS(
  { e2eMs, turnsPerStart }: Pick<SweepRun, "e2eMs" | "turnsPerStart">,
  numLatencies: number = SETTLED_LATENCIES,
): number {
  return (numLatencies * turnsPerStart * (e2eMs.mean ?? 0)) / MS_PER_S;
}
