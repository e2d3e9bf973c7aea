import type { BreakdownMetric, ErrorBreakdown } from "../core/evaluation/errorBreakdown.js";
import { columnsOf, printNumber, textTable } from "./textTable.js";

const METRIC_TITLES: Readonly<Record<BreakdownMetric, string>> = {
  ttftMs: "TTFT",
  decodeMs: "E2E − TTFT",
  e2eMs: "E2E",
};

/** Errors of a run by group. */
export function breakdownTable({ by, groups }: ErrorBreakdown): string {
  const columns = columnsOf(
    `by ${by}`,
    "latency, ms",
    "requests#",
    "measured#",
    "predicted#",
    "error %#",
    "per request, |error| %#",
  );
  const rows = groups.map(({ group, metric, numRequests, measuredMs, predictedMs, errorPercent, mapePercent }) => [
    group,
    METRIC_TITLES[metric],
    String(numRequests),
    printNumber(measuredMs),
    printNumber(predictedMs),
    `${(errorPercent ?? 0) > 0 ? "+" : ""}${printNumber(errorPercent)}`,
    printNumber(mapePercent),
  ]);
  return textTable(columns, rows);
}
