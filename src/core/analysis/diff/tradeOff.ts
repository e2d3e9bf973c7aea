import type { MetricChange } from "./metricChange.js";
import type { PairedLatencyChange } from "./pairedChange.js";
import type { RunDiff } from "./runDiff.js";
import type { SeedMetricChange } from "./seedChange.js";

/** Smaller changes of a single run are not held against each other: a percentile jumps by as much. */
const LEAST_RELATIVE_OF_ONE_RUN = 0.02;
/** Smaller changes matter to nobody, however well they are known. */
const LEAST_RELATIVE = 0.005;

/** Percentiles and counts that say again what others do. */
const TOLD_BY_OTHERS =
  /\.p50$|\.p90$|^tpotMs|^gapMs\.mean$|^throughput\.(requests|promptTokens)PerS$|^requests\.(rejected|aborted|unfinished)$/;

/** What clients got more of, and what they paid for it; the largest relative change first. */
export interface TradeOff {
  readonly better: readonly MetricChange[];
  readonly worse: readonly MetricChange[];
}

/** The headline numbers that moved by more than chance and enough to matter, by which way they went. */
export function tradeOff({ metrics, overSeeds, paired }: Pick<RunDiff, "metrics" | "overSeeds" | "paired">): TradeOff {
  const moved = overSeeds === null ? metrics.filter((metric) => movesInOneRun(metric, paired?.latencies ?? [])) : [];
  const known = overSeeds?.metrics.filter(movesOverSeeds) ?? [];
  const all = [...moved, ...known]
    .filter(({ name, group, better }) => group === "service" && better !== null && !TOLD_BY_OTHERS.test(name))
    .sort((x, y) => distance(y) - distance(x));
  const isBetter = ({ change, better }: MetricChange) => (change ?? 0) < 0 === (better === "lower");
  return { better: all.filter(isBetter), worse: all.filter((metric) => !isBetter(metric)) };
}

function movesInOneRun({ name, relative }: MetricChange, latencies: readonly PairedLatencyChange[]): boolean {
  const pairedName = name.replace(/^itlMs/, "interTokenMs");
  const paired = latencies.find(({ latency }) => pairedName === `${latency}.mean`);
  return Math.abs(relative ?? 0) >= LEAST_RELATIVE_OF_ONE_RUN && paired?.verdict !== "chance";
}

function movesOverSeeds({ relative, verdict }: SeedMetricChange): boolean {
  return Math.abs(relative ?? 0) >= LEAST_RELATIVE && verdict === "change";
}

/** Of two positive numbers from each other, the same from either side. */
function distance({ relative }: MetricChange): number {
  return Math.abs(Math.log1p(relative ?? 0));
}
