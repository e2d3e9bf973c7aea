import type { Standing } from "../../core/analysis/sweep/saturation.js";
import { MUTED, seriesColor } from "../colors.js";
import type { TableData } from "../dataTable.js";
import { element, section } from "../element.js";
import { figure, type Panel } from "../figure.js";
import { type KeyEntry, keyOf } from "../key.js";
import { loadPlot, STANDING_NAMES } from "../loadPlot.js";
import { loadWords, printLoad, unitWords } from "../loads.js";
import { withUnitsKept } from "../numbers.js";
import type { LoadCurve, LoadCurvesSection, LoadPlot } from "../sweepSections.js";
import { printValue } from "../valueScale.js";

/** A plot for each number, over the load. */
export function loadCurves(given: LoadCurvesSection): HTMLElement {
  const { id, heading, says, curves, plots } = given;
  if (curves.length === 0) {
    return section(id, heading, element("p", {}, "No point with a load has numbers: there is nothing to draw."));
  }
  const entries = keyEntries(curves);
  return section(
    id,
    heading,
    ...(entries.length === 0 ? [] : [keyOf(entries)]),
    figure({
      layout: "halves",
      panels: plots.map((plot) => panel(given, plot)),
      caption: withUnitsKept(says),
      table: table(given),
    }),
  );
}

/** How each standing that has a name is drawn. */
const STANDING_MARKS: readonly [Standing, NonNullable<KeyEntry["mark"]>][] = [
  ["below", "full"],
  ["near", "pale"],
  ["past", "hollow"],
  ["tooShort", "diamond"],
];

function keyEntries(curves: readonly LoadCurve[]): KeyEntry[] {
  const color = curves.length === 1 ? seriesColor(0) : MUTED;
  const names = curves.map(({ name }, i) => ({ name, color: seriesColor(i) })).filter(({ name }) => name !== "");
  const standings = STANDING_MARKS.filter(([one]) => curves.some((curve) => curve.standings.includes(one)));
  return [
    ...names,
    ...(standings.every(([one]) => one === "below")
      ? []
      : standings.map(([one, mark]): KeyEntry => ({ name: STANDING_NAMES[one] ?? "", color, mark }))),
    ...(curves.some(({ kneeLoad }) => kneeLoad !== null)
      ? [{ name: "latency bends here", color, mark: "ring" } as const]
      : []),
  ];
}

function panel(given: LoadCurvesSection, plot: LoadPlot): Panel {
  return { heading: plot.title, label: words(given, plot), draw: (widthPx) => loadPlot(given, plot, widthPx) };
}

/** `TTFT p99. H100: 35 ms at 1 requests/s, … Limit 500 ms.` */
function words({ curves, unit }: LoadCurvesSection, { title, quantity, values, limits }: LoadPlot): string {
  const sentences = curves.map(({ name, loads }, i) => {
    const numbers = loads.map(
      (load, j) => `${printValue(quantity, values[i]?.[j] ?? null)} at ${loadWords(load, unit)}`,
    );
    return `${name === "" ? "" : `${name}: `}${numbers.join(", ")}.`;
  });
  return [`${title}.`, ...sentences, ...limits.map(({ name }) => `Limit: ${name}.`)].join(" ");
}

function table({ curves, unit, plots }: LoadCurvesSection): TableData {
  const hasNames = curves.length > 1;
  return {
    columns: [...(hasNames ? ["server"] : []), unitWords(unit), ...plots.map(({ title }) => title)],
    rows: curves.flatMap(({ name, loads }, i) =>
      loads.map((load, j) => [
        ...(hasNames ? [name] : []),
        printLoad(load),
        ...plots.map((plot) => valueWords(plot, i, j)),
      ]),
    ),
  };
}

/** `812 ms (792 to 832 ms)`; no number is below 0, whatever the spread of a few seeds says. */
function valueWords({ quantity, values, intervals }: LoadPlot, curve: number, load: number): string {
  const value = printValue(quantity, values[curve]?.[load] ?? null);
  const interval = intervals?.[curve]?.[load] ?? null;
  if (interval === null) return value;
  return `${value} (${printValue(quantity, Math.max(0, interval.low))} to ${printValue(quantity, interval.high)})`;
}
