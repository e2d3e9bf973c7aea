import type { CombinedBreakdown } from "../core/evaluation/combinedBreakdown.js";
import type { BreakdownMetric } from "../core/evaluation/errorBreakdown.js";
import { columnsOf, printNumber, textTable } from "./textTable.js";

const METRIC_TITLES: Readonly<Record<BreakdownMetric, string>> = {
  ttftMs: "TTFT",
  decodeMs: "E2E − TTFT",
  e2eMs: "E2E",
};

/** Errors by group over all runs; how many runs those are is said where there are several. */
export function breakdownTable({ by, groups }: CombinedBreakdown): string {
  const isOfSeveral = groups.some(({ numRuns }) => numRuns > 1);
  const columns = columnsOf(
    `by ${by}`,
    "latency, ms",
    ...(isOfSeveral ? ["runs#"] : []),
    "requests#",
    "measured#",
    "predicted#",
    "error %#",
    ...(isOfSeveral ? ["per run, |error| %#"] : []),
    "per request, |error| %#",
  );
  const rows = groups.map((group) => [
    group.group,
    METRIC_TITLES[group.metric],
    ...(isOfSeveral ? [String(group.numRuns)] : []),
    String(group.numRequests),
    printNumber(group.measuredMs),
    printNumber(group.predictedMs),
    `${(group.errorPercent ?? 0) > 0 ? "+" : ""}${printNumber(group.errorPercent)}`,
    ...(isOfSeveral ? [printNumber(group.meanApe)] : []),
    printNumber(group.mapePercent),
  ]);
  return textTable(columns, rows);
}
