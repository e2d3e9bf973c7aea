import type { SeedMetricChange } from "../core/analysis/diff/seedChange.js";
import type { PointChange, SweepDiff } from "../core/analysis/diff/sweepDiff.js";
import { type BothDefaults, configChangeTable } from "./configChangeTable.js";
import { lonePointsLine } from "./lonePoints.js";
import { isClear, metricOf, signedPercent, sweepDiffSentence } from "./sweepDiffSentence.js";
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

const LEGENDS = {
  paired:
    "* no chance: of means, the 95 % interval of the seeds' own changes holds no 0; of percentiles, the two sides' intervals lie apart",
  unpaired: "* the intervals of the seeds lie apart, so that it is no chance",
} as const;

/** Two sweeps compared, for people: the answer in a sentence, then a row for each point. */
export function sweepDiffTable(diff: SweepDiff, defaults: BothDefaults): string {
  if (diff.isIdentical) return "A and B are identical: no config key, no point and no number differs.\n";
  const { a, b, config, points, onlyA, onlyB } = diff;
  const sections = [
    `${sweepDiffSentence(diff)}\n`,
    `A  ${a.name}\nB  ${b.name}\n`,
    configChangeTable(config, defaults),
    points.length === 0 ? "" : `${pointTable(points)}${legend(diff)}\n`,
    `${lonePointsLine("A", onlyA)}${lonePointsLine("B", onlyB)}`,
  ];
  return sections.filter((section) => section !== "").join("\n");
}

function legend({ seeds: { method } }: SweepDiff): string {
  return `change from A to B, %${method === null ? "" : `; ${LEGENDS[method]}`}`;
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
function cell(metric: SeedMetricChange): string {
  return metric.relative === null ? "– " : `${signedPercent(metric.relative)}${isClear(metric) ? "*" : " "}`;
}
