import { dot, lineY, type PlotOptions, pointer, text, tip } from "@observablehq/plot";
import type { Quantiles } from "../core/metrics/quantiles.js";
import { INK } from "./colors.js";
import { type LatencyScale, latencyScale } from "./latencyScale.js";
import { printMs } from "./numbers.js";
import { HALO, LETTER_PX, PLOT_STYLE, TIP } from "./plotStyle.js";

/** One line of a CDF. */
export interface CdfLine {
  readonly name: string;
  readonly quantiles: Quantiles;
  readonly color: string;
  readonly isDashed?: boolean;
  /** Of its name; default its own colour. */
  readonly labelColor?: string;
  /** Where its name stands, in percent of the values and beside the line; or marks at 50 and 99 %; or nothing. */
  readonly labelAt: LabelPlace | "percentiles" | "none";
}

export interface LabelPlace {
  readonly percent: number;
  readonly side: "left" | "right";
}

/** A point of a line: this percentage of the values is at most so many ms. */
interface CdfPoint {
  readonly line: string;
  readonly percent: number;
  readonly ms: number;
}

const HEIGHT_PX = 210;
const MARGIN_LEFT_PX = 40;
const MARGIN_RIGHT_PX = 20;
const MARKED_PERCENTS = new Set([50, 99]);

/** Cumulative distributions over ms. */
export function cdfPlot(lines: readonly CdfLine[], yLabel: string, widthPx: number): PlotOptions {
  const points = lines.flatMap(({ name, quantiles }) => pointsOf(name, quantiles));
  const scale = latencyScale(
    points.map(({ ms }) => ms),
    widthPx,
  );
  return {
    height: HEIGHT_PX,
    marginLeft: MARGIN_LEFT_PX,
    marginRight: MARGIN_RIGHT_PX,
    marginTop: 26,
    x: { ...scale.options, label: null },
    y: { domain: [0, 100], label: yLabel, ticks: [0, 25, 50, 75, 100], grid: true },
    marks: [
      ...scale.axis,
      ...lines.map(({ name, quantiles, color, isDashed }) =>
        lineY(pointsOf(name, quantiles), {
          x: "ms",
          y: "percent",
          stroke: color,
          strokeWidth: 2.25,
          ...(isDashed === true ? { strokeDasharray: "6 4" } : {}),
        }),
      ),
      ...lines.flatMap((line) => labelMarks(line, scale, widthPx)),
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

function labelMarks(line: CdfLine, scale: LatencyScale, widthPx: number) {
  const { labelAt } = line;
  if (labelAt === "none") return [];
  return labelAt === "percentiles"
    ? percentileMarks(line, scale)
    : [nameMark(line, roomyPlace(line, labelAt, scale, widthPx))];
}

/** To the right of the line where there is no room for its name on the left. */
function roomyPlace({ name, quantiles }: CdfLine, place: LabelPlace, scale: LatencyScale, widthPx: number): LabelPlace {
  const roomPx = scale.position(quantiles[place.percent] ?? 0) * (widthPx - MARGIN_LEFT_PX - MARGIN_RIGHT_PX);
  return name.length * LETTER_PX <= roomPx ? place : { ...place, side: "right" };
}

function percentileMarks({ name, quantiles, color }: CdfLine, scale: LatencyScale) {
  const marked = pointsOf(name, quantiles).filter(({ percent }) => MARKED_PERCENTS.has(percent));
  const label = ({ percent, ms }: CdfPoint) => `${percent} %  ${printMs(ms)}`;
  const place = { x: "ms", y: "percent", text: label, fill: INK, fontWeight: 600, ...HALO };
  const isMedianRight = scale.position(quantiles[50] ?? 0) > MIDDLE;
  return [
    dot(marked, { x: "ms", y: "percent", fill: color, r: 3.5 }),
    // Below the line where there is room, else above it; the tail is at the upper right corner.
    text(marked.slice(0, 1), { ...place, ...(isMedianRight ? ABOVE_LEFT : BELOW_RIGHT) }),
    text(marked.slice(1), { ...place, textAnchor: "end", dx: 4, dy: -12 }),
  ];
}

const MIDDLE = 0.55;
const BELOW_RIGHT = { textAnchor: "start", dx: 9, dy: 4 } as const;
const ABOVE_LEFT = { textAnchor: "end", dx: -9, dy: -6 } as const;

function nameMark({ name, quantiles, color, labelColor = color }: CdfLine, { percent, side }: LabelPlace) {
  return text([{ percent, ms: quantiles[percent] ?? 0 }], {
    x: "ms",
    y: "percent",
    text: () => name,
    fill: labelColor,
    fontWeight: 600,
    textAnchor: side === "left" ? "end" : "start",
    dx: side === "left" ? -8 : 8,
    ...HALO,
  });
}

function pointsOf(line: string, quantiles: Quantiles): CdfPoint[] {
  return quantiles.map((ms, percent) => ({ line, percent, ms }));
}
