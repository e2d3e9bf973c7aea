import type { MetricChange } from "../core/analysis/diff/metricChange.js";
import type { RunDiff } from "../core/analysis/diff/runDiff.js";
import type { SeedChange, SeedMetricChange } from "../core/analysis/diff/seedChange.js";
import { printAmount, signed, signedInterval } from "./signedNumber.js";
import { columnsOf, printNumber, textTable } from "./textTable.js";

/** Smaller changes are named in one line. */
const LEAST_RELATIVE = 0.0005;
/** Smaller ones of a single run are shown, and called neither better nor worse. */
const LEAST_JUDGED = 0.005;

/** The numbers of two runs that moved: over seeds with their intervals where these were simulated, else of the two runs alone. */
export function metricChangeTable({ metrics, overSeeds }: Pick<RunDiff, "metrics" | "overSeeds">): string {
  return overSeeds === null ? singleTable(metrics) : seedTable(overSeeds);
}

function singleTable(metrics: readonly MetricChange[]): string {
  const moved = metrics.filter(isMoved);
  const rows = moved.map((metric) => [...numbers(metric), percent(metric), judgement(metric, isLarge(metric))]);
  return `${tableOf(["change#", "%#", ""], rows)}${unmoved(metrics)}`;
}

function seedTable({ seeds, metrics }: SeedChange): string {
  const rows = metrics
    .filter(isMoved)
    .map((metric) => [...numbers(metric), signedInterval(metric.interval), percent(metric), seedJudgement(metric)]);
  const title = `means over ${seeds.length} seeds, the same for both sides (${seeds[0]} to ${seeds.at(-1)})\n`;
  return `${title}${tableOf(["change#", "95 % interval#", "%#", ""], rows)}${unmoved(metrics)}`;
}

function tableOf(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? "" : textTable(columnsOf("metric", "A#", "B#", ...columns), rows);
}

function numbers({ name, a, b, change }: MetricChange): string[] {
  return [name, printAmount(a), printAmount(b), signed(change, printAmount)];
}

function percent({ relative }: MetricChange): string {
  return relative === null ? "–" : signed(100 * relative, (value) => printNumber(value));
}

function unmoved(metrics: readonly MetricChange[]): string {
  const still = metrics.filter((metric) => !isMoved(metric) && metric.a !== null);
  return still.length === 0 ? "" : `unchanged: ${still.map(({ name }) => name).join(", ")}\n`;
}

function isMoved({ a, b, relative }: MetricChange): boolean {
  return relative === null ? a !== b : Math.abs(relative) >= LEAST_RELATIVE;
}

function isLarge({ relative }: MetricChange): boolean {
  return relative === null || Math.abs(relative) >= LEAST_JUDGED;
}

function judgement({ better, change }: MetricChange, isSure: boolean): string {
  if (better === null || change === null || !isSure) return "";
  return change < 0 === (better === "lower") ? "better" : "worse";
}

function seedJudgement(metric: SeedMetricChange): string {
  if (metric.verdict === "chance") return "may be chance";
  return metric.verdict === "change" ? judgement(metric, true) || "a change" : "";
}
