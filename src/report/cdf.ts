import { dot, lineY, type PlotOptions, pointer, text, tip } from "@observablehq/plot";
import type { Quantiles } from "../core/metrics/quantiles.js";
import { INK } from "./colors.js";
import { printMs, tickMs } from "./numbers.js";
import { HALO, PLOT_STYLE, TIP } from "./plotStyle.js";

/** One line of a CDF. */
export interface CdfLine {
  readonly name: string;
  readonly quantiles: Quantiles;
  readonly color: string;
  readonly isDashed?: boolean;
  /** Where its label stands, in percent of the values and beside the line; null = marked at 50 and 99 % instead. */
  readonly labelAt: { readonly percent: number; readonly side: "left" | "right" } | null;
}

/** A point of a line: this percentage of the values is at most so many ms. */
interface CdfPoint {
  readonly line: string;
  readonly percent: number;
  readonly ms: number;
}

const HEIGHT_PX = 210;
/** Where a log axis begins below which there are only zeros. */
const LEAST_SHARE = 1e-4;
const MARKED_PERCENTS = new Set([50, 99]);

/** Cumulative distributions over a logarithmic axis of ms. */
export function cdfPlot(lines: readonly CdfLine[], yLabel: string): PlotOptions {
  const points = lines.flatMap(({ name, quantiles }) => pointsOf(name, quantiles));
  return {
    height: HEIGHT_PX,
    marginLeft: 40,
    marginRight: 20,
    marginTop: 26,
    x: { ...latencyScale(points.map(({ ms }) => ms)), label: null },
    y: { domain: [0, 100], label: yLabel, ticks: [0, 25, 50, 75, 100], grid: true },
    marks: [
      ...lines.map(({ name, quantiles, color, isDashed }) =>
        lineY(pointsOf(name, quantiles), {
          x: "ms",
          y: "percent",
          stroke: color,
          strokeWidth: 2.25,
          ...(isDashed === true ? { strokeDasharray: "6 4" } : {}),
        }),
      ),
      ...lines.flatMap((line) => (line.labelAt === null ? percentileMarks(line) : [nameMark(line, line.labelAt)])),
      tip(
        points,
        pointer({
          x: "ms",
          y: "percent",
          maxRadius: Number.POSITIVE_INFINITY,
          title: ({ line, percent, ms }: CdfPoint) => `${line}\n${percent} % within ${printMs(ms)}`,
          ...TIP,
        }),
      ),
    ],
    ...PLOT_STYLE,
  };
}

/** Logarithmic; linear where everything is 0, which has no logarithm. */
function latencyScale(valuesMs: readonly number[]): NonNullable<PlotOptions["x"]> {
  const most = Math.max(...valuesMs);
  if (!(most > 0)) return { domain: [0, 1], ticks: [0], tickFormat: tickMs };
  const least = Math.max(Math.min(...valuesMs), most * LEAST_SHARE);
  const domain = most > least * 1.01 ? [least, most] : [least * 0.9, most * 1.1];
  return { type: "log", domain, clamp: true, tickFormat: tickMs, ticks: 4 };
}

function percentileMarks({ name, quantiles, color }: CdfLine) {
  const marked = pointsOf(name, quantiles).filter(({ percent }) => MARKED_PERCENTS.has(percent));
  const label = ({ percent, ms }: CdfPoint) => `${percent} %  ${printMs(ms)}`;
  const place = { x: "ms", y: "percent", text: label, fill: INK, fontWeight: 600, ...HALO };
  return [
    dot(marked, { x: "ms", y: "percent", fill: color, r: 3.5 }),
    // The median has room to its right; the tail is at the right edge.
    text(marked.slice(0, 1), { ...place, textAnchor: "start", dx: 9, dy: 4 }),
    text(marked.slice(1), { ...place, textAnchor: "end", dx: -9, dy: 2 }),
  ];
}

function nameMark({ name, quantiles, color }: CdfLine, { percent, side }: NonNullable<CdfLine["labelAt"]>) {
  return text([{ percent, ms: quantiles[percent] ?? 0 }], {
    x: "ms",
    y: "percent",
    text: () => name,
    fill: color,
    fontWeight: 600,
    textAnchor: side === "left" ? "end" : "start",
    dx: side === "left" ? -8 : 8,
    ...HALO,
  });
}

function pointsOf(line: string, quantiles: Quantiles): CdfPoint[] {
  return quantiles.map((ms, percent) => ({ line, percent, ms }));
}
