import { COMPARED_NAMES } from "../core/evaluation/uncertainty/comparedNumbers.js";
import type { CoverageSummary } from "../core/evaluation/uncertainty/coverage.js";
import type { Interval } from "../core/metrics/interval.js";
import { REGIME_GROUPS } from "../core/metrics/regimeErrors.js";
import { HEADLINE_STATISTICS, type LatencyIntervals, type RunUncertainty } from "../core/metrics/runUncertainty.js";
import { COMPARED_TITLES } from "./comparedTitles.js";
import { REGIME_NAMES } from "./regimeWords.js";
import { numberColumns, printNumber, textTable } from "./textTable.js";

/** The intervals of a run for people. @param decimals of the latencies; @param msPerUnit 1 for ms, 1000 for s */
export function uncertaintyTable(
  { intervals, draws, sources }: RunUncertainty,
  { unit, msPerUnit, decimals }: { readonly unit: string; readonly msPerUnit: number; readonly decimals: number },
): string {
  const row = (title: string, latency: LatencyIntervals) => [
    title,
    ...HEADLINE_STATISTICS.map((name) => printInterval(latency[name], msPerUnit, decimals)),
  ];
  const { throughput } = intervals;
  const table = textTable(numberColumns(`80 % intervals, ${unit}`, ...HEADLINE_STATISTICS), [
    row("TTFT", intervals.ttftMs),
    row("TPOT", intervals.tpotMs),
    row("ITL", intervals.itlMs),
    row("E2E", intervals.e2eMs),
  ]);
  return `${table}throughput   ${printInterval(throughput.requestsPerS, 1, 2)} requests/s, ${printInterval(throughput.outputTokensPerS, 1, 0)} output tokens/s
from ${draws} possible worlds:
${sources.map((source) => `  ${source}\n`).join("")}`;
}

/** How often the intervals held what was measured, and how wide they were. */
export function coverageTable(coverage: CoverageSummary): string {
  const inRegime = REGIME_GROUPS.filter((group) => coverage.byRegime[group].numIntervals > 0);
  const rows = [
    ["all", coverage.all] as const,
    ["E2E mean, TTFT p50, ITL mean", coverage.headline] as const,
    ...inRegime.map((group) => [`saturation: ${REGIME_NAMES[group]}`, coverage.byRegime[group]] as const),
    ...COMPARED_NAMES.map((name) => [COMPARED_TITLES[name], coverage.byNumber[name]] as const),
  ].map(([title, { numCovered, numIntervals, coveredFraction, meanRelativeWidth }]) => [
    title,
    `${numCovered} of ${numIntervals}`,
    percent(coveredFraction),
    percent(meanRelativeWidth),
  ]);
  const title = `80 % intervals (${coverage.draws} possible worlds)`;
  return textTable(numberColumns(title, "held", "%", "mean width, %"), rows);
}

/** `low–high`, or a dash. */
export function printInterval(interval: Interval | null, perUnit = 1, decimals = 1): string {
  if (interval === null) return "–";
  return `${printNumber(interval.low / perUnit, decimals)}–${printNumber(interval.high / perUnit, decimals)}`;
}

function percent(fraction: number | null): string {
  return printNumber(fraction === null ? null : 100 * fraction, 0);
}
