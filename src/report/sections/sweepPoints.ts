import { dataTable } from "../dataTable.js";
import { element, section } from "../element.js";
import { printCount, printFraction, printMs } from "../numbers.js";
import { STANDING_WORDS } from "../regimeWords.js";
import type { SweepPointsSection, SweptPoint } from "../sweepSections.js";

/** All points in numbers; what failed, with the reason. */
export function sweepPoints({ points, numLeftOut, failures }: SweepPointsSection): HTMLElement {
  const leftOut = `${printCount(numLeftOut)} more points are in --format csv and in points.csv of --out.`;
  return section(
    "points",
    "Every point",
    ...(points.length === 0 ? [element("p", {}, "No point works.")] : [dataTable(pointTable(points), "Every point")]),
    ...(numLeftOut === 0 ? [] : [element("p", { class: "note" }, leftOut)]),
    ...(failures.length === 0
      ? []
      : [
          element("h3", { class: "failed" }, "What cannot work"),
          dataTable(
            {
              columns: ["server", "loads", "reason"],
              rows: failures.map(({ server, loads, reason }) => [server, loads.join(", "), reason]),
              wordColumns: ["loads", "reason"],
            },
            "Points that failed, with the reason",
          ),
        ]),
  );
}

function pointTable(points: readonly SweptPoint[]) {
  const hasServers = points.some(({ server }) => server !== "");
  const hasSlo = points.some(({ keepsSlo }) => keepsSlo !== null);
  return {
    columns: [
      ...(hasServers ? ["server"] : []),
      "load",
      "requests/s",
      "kept up",
      "output tokens/s",
      ...(points[0]?.latencies ?? []).map(({ title }) => title),
      "KV peak",
      "preemptions",
      "saturation",
      ...(hasSlo ? ["keeps the SLO"] : []),
    ],
    rows: points.map((point) => [
      ...(hasServers ? [point.server] : []),
      point.load,
      printCount(point.requestsPerS),
      printFraction(point.keptUpFraction),
      printCount(point.outputTokensPerS),
      ...point.latencies.map(latencyWords),
      printFraction(point.kvPeakUsedFraction),
      printCount(point.preemptions),
      STANDING_WORDS[point.standing],
      ...(hasSlo ? [point.keepsSlo === true ? "yes" : "no"] : []),
    ]),
  };
}

function latencyWords({ ms, interval }: SweptPoint["latencies"][number]): string {
  if (interval === null) return printMs(ms);
  return `${printMs(ms)} ± ${printMs((interval.high - interval.low) / 2)}`;
}
