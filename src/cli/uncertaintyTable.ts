import { COMPARED_NAMES } from "../core/evaluation/uncertainty/comparedNumbers.js";
import type { CoverageSummary } from "../core/evaluation/uncertainty/coverage.js";
import type { Interval } from "../core/metrics/interval.js";
import { REGIME_GROUPS } from "../core/metrics/regimeErrors.js";
import type { RunMetrics } from "../core/metrics/runMetrics.js";
import {
  HEADLINE_LATENCIES,
  HEADLINE_STATISTICS,
  type HeadlineLatency,
  type RunUncertainty,
} from "../core/metrics/runUncertainty.js";
import { COMPARED_TITLES } from "./comparedTitles.js";
import { REGIME_NAMES } from "./regimeWords.js";
import { numberColumns, printNumber, textTable } from "./textTable.js";

const LATENCY_TITLES: Readonly<Record<HeadlineLatency, string>> = {
  ttftMs: "TTFT",
  tpotMs: "TPOT",
  itlMs: "ITL",
  gapMs: "gap",
  e2eMs: "E2E",
};

/**
 * A run's numbers beside those of the possible worlds, for people.
 * @param decimals of the latencies; @param msPerUnit 1 for ms, 1000 for s
 */
export function uncertaintyTable(
  run: RunMetrics,
  { intervals, medians, draws, sources }: RunUncertainty,
  { unit, msPerUnit, decimals }: { readonly unit: string; readonly msPerUnit: number; readonly decimals: number },
): string {
  const number = (ms: number | null) => printNumber(ms === null ? null : ms / msPerUnit, decimals);
  const rows = HEADLINE_LATENCIES.flatMap((latency) => [
    [`${LATENCY_TITLES[latency].padEnd(6)}this run`, ...HEADLINE_STATISTICS.map((name) => number(run[latency][name]))],
    ["      median world", ...HEADLINE_STATISTICS.map((name) => number(medians[latency][name]))],
    [
      "      80 % interval",
      ...HEADLINE_STATISTICS.map((name) => printInterval(intervals[latency][name], msPerUnit, decimals)),
    ],
  ]);
  const throughput = (name: "requestsPerS" | "outputTokensPerS", decimals: number) =>
    `${printNumber(medians.throughput[name], decimals)} (${printInterval(intervals.throughput[name], 1, decimals)})`;
  return `${textTable(numberColumns(`80 % intervals, ${unit}`, ...HEADLINE_STATISTICS), rows)}throughput of the worlds: ${throughput("requestsPerS", 2)} requests/s, ${throughput("outputTokensPerS", 0)} output tokens/s
from ${draws} possible worlds; an interval reaches to this run's number where the worlds alone would not:
${sources.map((source) => `  ${source}\n`).join("")}`;
}

/** How often the intervals held what was measured, and how wide they were. */
export function coverageTable(coverage: CoverageSummary): string {
  const inRegime = REGIME_GROUPS.filter((group) => coverage.byRegime[group].numIntervals > 0);
  const { numRuns, numAllCovered } = coverage.runs;
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
  return `${textTable(numberColumns(title, "held", "%", "mean width, %"), rows)}The numbers of a run err together, as one step time makes them, and so do the runs of one server: this is the evidence of
${numRuns} ${numRuns === 1 ? "run" : "runs"}, not of ${coverage.all.numIntervals} intervals. All intervals held in ${numAllCovered} of ${numRuns}.
`;
}

/** `low–high`, or a dash. */
export function printInterval(interval: Interval | null, perUnit = 1, decimals = 1): string {
  if (interval === null) return "–";
  return `${printNumber(interval.low / perUnit, decimals)}–${printNumber(interval.high / perUnit, decimals)}`;
}

function percent(fraction: number | null): string {
  return printNumber(fraction === null ? null : 100 * fraction, 0);
}
