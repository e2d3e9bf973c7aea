import { MS_PER_S, US_PER_S } from "../../units/units.js";
import type { ComparedRun } from "./comparedRun.js";
import type { RequestPair } from "./pairRequests.js";

/** Times over that a run must forget what its requests met before its stretches are as good as runs of their own. */
const MIN_FORGETTINGS = 30;

/** Share of the time up to which nobody has waited to speak of. */
const MAX_LIMITED_FRACTION = 0.001;

/**
 * Why one run of each side says nothing of what other requests of the workload would show; null where it does. Intervals
 * of one run were found to cover what they promise where no queue forms and the run is long, and nowhere else. Both are
 * told by the load and not by the changes: a run that happens to see no long queue shows changes that look independent
 * of each other, and a mean that is far from the truth.
 * @see eval/diff, which measures it
 */
export function noIntervalReason(a: ComparedRun, b: ComparedRun, pairs: readonly RequestPair[]): string | null {
  const reason = queueReason(a, b) ?? spanReason(a, b, pairs);
  if (reason === null) return null;
  return `${reason}; ${isTrace(a) ? "a trace has no other requests to try" : "--seeds 10 tries other requests"}`;
}

function isTrace({ summary }: ComparedRun): boolean {
  return summary.config.workload?.data.kind === "trace";
}

function queueReason(a: ComparedRun, b: ComparedRun): string | null {
  const limitedFraction = Math.max(a.summary.regime.limitedFraction, b.summary.regime.limitedFraction);
  if (limitedFraction <= MAX_LIMITED_FRACTION) return null;
  return "requests waited for a place in a step, and one run does not show what other queues would do";
}

function spanReason(a: ComparedRun, b: ComparedRun, pairs: readonly RequestPair[]): string | null {
  const [first, last] = [pairs[0], pairs.at(-1)];
  const spanUs = first === undefined || last === undefined ? 0 : last.arrivalUs - first.arrivalUs;
  const factor = Math.max(...[a, b].map((run) => (MIN_FORGETTINGS * forgettingS(run) * US_PER_S) / spanUs));
  if (factor <= 1) return null;
  const longer = Number.isFinite(factor) ? `${Number(factor.toPrecision(2))} times as long` : "longer";
  return `at this load what requests meet hangs together for long: a run would have to be ${longer}`;
}

/**
 * For how long a request feels what those before it met, s: a mean latency, and longer under load by 1/(1 − load share)²,
 * as queues relax whose arrivals come at random (M/G/1).
 */
function forgettingS({ summary: { e2eMs, regime } }: ComparedRun): number {
  return (e2eMs.mean ?? Number.POSITIVE_INFINITY) / MS_PER_S / (1 - regime.utilisation) ** 2;
}
