import { type Breakdown, compareFrom, type ErrorBreakdown, type GroupError } from "./errorBreakdown.js";

/** One latency of one group over all runs that have requests in it. */
export interface CombinedGroupError extends GroupError {
  readonly numRuns: number;
  /** Mean over runs of the |error| of each run's own mean, percent: errors of opposite signs do not cancel here. */
  readonly meanApe: number | null;
}

/** Errors by group over several runs. */
export interface CombinedBreakdown {
  readonly by: Breakdown;
  /** Ascending by what they are grouped by; each request is in one group of each metric. */
  readonly groups: readonly CombinedGroupError[];
}

/** Joins the groups of equal name; null without a breakdown. All must be by the same thing. */
export function combinedBreakdown(breakdowns: readonly ErrorBreakdown[]): CombinedBreakdown | null {
  const [first] = breakdowns;
  if (first === undefined) return null;
  const parts = new Map<string, GroupError[]>();
  for (const part of breakdowns.flatMap(({ groups }) => groups)) {
    const key = `${part.metric} ${part.group}`;
    parts.set(key, [...(parts.get(key) ?? []), part]);
  }
  const groups = [...parts.values()].map(combinedGroup);
  // A stable sort: the metrics of a group stay in their order.
  return { by: first.by, groups: groups.sort((a, b) => compareFrom(a.from, b.from)) };
}

function combinedGroup(parts: readonly GroupError[]): CombinedGroupError {
  const { group, metric, from } = parts[0]!;
  const used = parts.filter(({ numRequests }) => numRequests > 0);
  const measuredMs = meanOver(used, ({ measuredMs }) => measuredMs);
  const predictedMs = meanOver(used, ({ predictedMs }) => predictedMs);
  const isComparable = measuredMs !== null && predictedMs !== null && measuredMs > 0;
  const errors = used.map(({ errorPercent }) => errorPercent).filter((percent) => percent !== null);
  return {
    group,
    metric,
    from,
    numRuns: used.length,
    numRequests: used.reduce((sum, { numRequests }) => sum + numRequests, 0),
    measuredMs,
    predictedMs,
    errorPercent: isComparable ? (predictedMs / measuredMs - 1) * 100 : null,
    mapePercent: meanOver(used, ({ mapePercent }) => mapePercent),
    meanApe: errors.length === 0 ? null : errors.reduce((sum, percent) => sum + Math.abs(percent), 0) / errors.length,
  };
}

/** Mean over the requests of all parts, of what is a mean in each. */
function meanOver(parts: readonly GroupError[], meanOf: (part: GroupError) => number | null): number | null {
  let sum = 0;
  let numRequests = 0;
  for (const part of parts) {
    const value = meanOf(part);
    if (value === null) continue;
    sum += value * part.numRequests;
    numRequests += part.numRequests;
  }
  return numRequests === 0 ? null : sum / numRequests;
}
