import type { PointChange, PointMetricChange, SweepDiff } from "../core/analysis/diff/sweepDiff.js";
import { configChangeTable } from "./configChangeTable.js";
import { columnsOf, printNumber, textTable } from "./textTable.js";

/** What a row shows of a point; JSON has every number. */
const SHOWN = [
  ["e2eMs.mean", "E2E mean"],
  ["e2eMs.p99", "E2E p99"],
  ["ttftMs.p50", "TTFT p50"],
  ["ttftMs.p99", "TTFT p99"],
  ["itlMs.mean", "ITL mean"],
  ["throughput.outputTokensPerS", "output tokens/s"],
] as const;

/** Two sweeps compared, for people: the answer in a sentence, then a row for each point. */
export function sweepDiffTable(diff: SweepDiff): string {
  if (diff.isIdentical) return "A and B are identical: no config key, no point and no number differs.\n";
  const { a, b, config, points, onlyA, onlyB } = diff;
  const alone = [
    ...onlyA.map((label) => `only A measured ${label}\n`),
    ...onlyB.map((label) => `only B measured ${label}\n`),
  ];
  const sections = [
    `${sentence(diff)}\n`,
    `A  ${a.name}\nB  ${b.name}\n`,
    configChangeTable(config),
    points.length === 0 ? "" : `${pointTable(points)}${LEGEND}\n`,
    alone.join(""),
  ];
  return sections.filter((section) => section !== "").join("\n");
}

const LEGEND = "change from A to B, %; * the intervals of the seeds lie apart, so that it is no chance";

function sentence({ points, config }: SweepDiff): string {
  const keys = `${config.length === 0 ? "no" : config.length} config ${config.length === 1 ? "key differs" : "keys differ"}`;
  if (points.length === 0) return `A and B have no point in common; ${keys}.`;
  const latencies = points.map((point) => ({
    label: point.label,
    relative: metricOf(point, "e2eMs.mean").relative ?? 0,
  }));
  const count = (isMeant: (relative: number) => boolean) =>
    latencies.filter(({ relative }) => isMeant(relative)).length;
  const [faster, slower] = [count((relative) => relative < 0), count((relative) => relative > 0)];
  const most = latencies.reduce((x, y) => (Math.abs(y.relative) > Math.abs(x.relative) ? y : x));
  const peak = most.relative === 0 ? "" : `, most at ${most.label} (${signedPercent(most.relative)} % of latency)`;
  const of = `Of ${points.length} ${points.length === 1 ? "point" : "points"} in both`;
  return `${of}, B is faster end to end at ${faster} and slower at ${slower}${peak}; ${keys}.`;
}

function pointTable(points: readonly PointChange[]): string {
  const columns = columnsOf("point", "E2E A, ms#", "B, ms#", ...SHOWN.map(([, title]) => `${title}#`));
  return textTable(
    columns,
    points.map((point) => {
      const e2e = metricOf(point, "e2eMs.mean");
      return [
        point.label === "" ? "all" : point.label,
        printNumber(e2e.a),
        printNumber(e2e.b),
        ...SHOWN.map(([name]) => cell(metricOf(point, name))),
      ];
    }),
  );
}

/** Of every change the mark has a place, so that the digits stand below each other. */
function cell({ relative, isApart }: PointMetricChange): string {
  return relative === null ? "– " : `${signedPercent(relative)}${isApart === true ? "*" : " "}`;
}

function signedPercent(relative: number): string {
  const text = printNumber(Math.abs(100 * relative));
  return Number(text) === 0 ? text : `${relative < 0 ? "−" : "+"}${text}`;
}

function metricOf({ metrics }: PointChange, name: string): PointMetricChange {
  return metrics.find((metric) => metric.name === name) as PointMetricChange;
}
