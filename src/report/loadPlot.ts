import {
  dot,
  line,
  lineY,
  type Markish,
  type PlotOptions,
  pointer,
  rect,
  ruleX,
  ruleY,
  text,
  tip,
} from "@observablehq/plot";
import type { Standing } from "../core/analysis/sweep/saturation.js";
import { INK, MUTED, rampColor, seriesColor } from "./colors.js";
import { labelPlaces } from "./labelPlaces.js";
import type { LatencyScale } from "./latencyScale.js";
import { loadWords, printLoad, unitWords } from "./loads.js";
import { HALO, LETTER_PX, PLOT_STYLE, TIP } from "./plotStyle.js";
import type { LoadCurve, LoadCurvesSection, LoadPlot } from "./sweepSections.js";
import { printValue, valueScale } from "./valueScale.js";

/** Points as a key and a tip call them; null where there is no saturation to stand to. */
export const STANDING_NAMES: Readonly<Record<Standing, string | null>> = {
  below: "below saturation",
  near: "near saturation",
  past: "past saturation",
  tooShort: "too short to tell",
  closedLoop: null,
};

/** A number of a curve at a load. */
interface CurvePoint {
  readonly curve: LoadCurve;
  readonly color: string;
  readonly load: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly hasInterval: boolean;
  readonly standing: Standing;
}

const HEIGHT_PX = 240;
const MARGIN = { top: 18, bottom: 38, left: 52 } as const;
/** Keeps dots at the ends of the scale whole. */
const INSET_PX = 6;
const LABEL_GAP_PX = 14;
/** Labels wider than this share of the plot are left to the key. */
const LABEL_SHARE = 0.3;

/** Rates that all lie above this share of the largest have an axis of their own. */
const NARROW_SHARE = 0.4;

type Data = Pick<LoadCurvesSection, "unit" | "curves">;

/** One number of every curve over the load. */
export function loadPlot({ unit, curves }: Data, given: LoadPlot, widthPx: number): PlotOptions {
  const points = curves.map((curve, i) => pointsOf(curve, given, i));
  const all = points.flat();
  const heightPx = HEIGHT_PX - MARGIN.top - MARGIN.bottom - 2 * INSET_PX;
  const drawn = [...all.flatMap(({ value, high }) => [value, high]), ...given.limits.map(({ limit }) => limit)];
  const mostLoad = Math.max(...curves.flatMap(({ loads }) => loads));
  const scale = valueScale(given.quantity, given.hasDiagonal ? [...drawn, mostLoad] : drawn, heightPx);
  const labelPx = Math.max(...curves.map(({ name }) => name.length)) * LETTER_PX;
  const hasLabels = labelPx > 0 && labelPx <= LABEL_SHARE * widthPx;
  return {
    height: HEIGHT_PX,
    marginTop: MARGIN.top,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    marginRight: hasLabels ? labelPx + 14 : 20,
    x: loadScale({ unit, curves }, widthPx, given.hasDiagonal),
    y: { ...scale.options, inset: INSET_PX },
    marks: [
      ...scale.axis,
      ...(curves.length === 1 ? saturationBand(curves[0]!) : []),
      ...(given.hasDiagonal ? diagonal(mostLoad) : []),
      ...given.limits.flatMap(limitMarks),
      ...curveMarks(all, points),
      ...(hasLabels ? nameMarks(points, scale, heightPx) : []),
      tip(
        all,
        pointer({
          x: "load",
          y: "value",
          maxRadius: Number.POSITIVE_INFINITY,
          title: (point: CurvePoint) => tipText(point, given, unit),
          ...TIP,
        }),
      ),
    ],
    ...PLOT_STYLE,
  };
}

function pointsOf(curve: LoadCurve, { values, intervals }: LoadPlot, index: number): CurvePoint[] {
  return curve.loads.flatMap((load, i): CurvePoint[] => {
    const value = values[index]?.[i] ?? null;
    if (value === null) return [];
    const interval = intervals?.[index]?.[i] ?? null;
    const { low, high } = interval ?? { low: value, high: value };
    const standing = curve.standings[i] ?? "below";
    return [{ curve, color: seriesColor(index), load, value, low, high, hasInterval: interval !== null, standing }];
  });
}

/** Streams double from one to the next; rates are a range, from 0 on unless they lie close together. */
function loadScale({ unit, curves }: Data, widthPx: number, startsAtZero: boolean): NonNullable<PlotOptions["x"]> {
  const loads = [...new Set(curves.flatMap((curve) => curve.loads))].sort((a, b) => a - b);
  const label = { label: unitWords(unit), labelAnchor: "center", labelArrow: "none" } as const;
  const [least = 0] = loads;
  const most = loads.at(-1) ?? 1;
  const from = least > most * NARROW_SHARE && !startsAtZero ? least - (most - least) * 0.1 : 0;
  if (unit !== "streams") return { domain: [from, most], ticks: Math.min(8, Math.floor(widthPx / 60)), ...label };
  return {
    type: "log",
    base: 2,
    domain: [least, Math.max(most, 2 * least)],
    ticks: loads,
    tickFormat: printLoad,
    ...label,
  };
}

function saturationBand({ saturation }: LoadCurve): Markish[] {
  if (saturation === null) return [];
  const { above, below } = saturation;
  return [
    rect([saturation], { x1: above, x2: below, fill: INK, fillOpacity: 0.08 }),
    text([(above + below) / 2], {
      x: (load: number) => load,
      frameAnchor: "top",
      text: () => "saturates",
      fill: MUTED,
      dy: -14,
    }),
  ];
}

function diagonal(mostLoad: number): Markish[] {
  const ends: [number, number][] = [0, mostLoad].map((load) => [load, load]);
  return [line(ends, { stroke: MUTED, strokeWidth: 1, strokeDasharray: "4 4" })];
}

function limitMarks(limit: LoadPlot["limits"][number]): Markish[] {
  return [
    ruleY([limit], { y: "limit", stroke: "var(--bad)", strokeDasharray: "6 3", strokeWidth: 1.5 }),
    text([limit], {
      y: "limit",
      text: "name",
      frameAnchor: "left",
      textAnchor: "start",
      dx: 4,
      dy: -8,
      fill: "var(--bad)",
      fontWeight: 600,
      ...HALO,
    }),
  ];
}

function curveMarks(all: readonly CurvePoint[], points: readonly (readonly CurvePoint[])[]): Markish[] {
  const color = ({ color }: CurvePoint) => color;
  const knees = all.filter(({ curve, load }) => curve.kneeLoad === load);
  return [
    ruleX(
      all.filter(({ hasInterval }) => hasInterval),
      { x: "load", y1: "low", y2: "high", stroke: color, strokeWidth: 5, strokeOpacity: 0.3 },
    ),
    ...points.map((own) =>
      lineY(own, { x: "load", y: "value", stroke: own[0]?.color ?? INK, strokeWidth: 2, strokeLinejoin: "round" }),
    ),
    dot(all, {
      x: "load",
      y: "value",
      r: 3.5,
      stroke: color,
      strokeWidth: 2,
      symbol: ({ standing }: CurvePoint) => (standing === "tooShort" ? "diamond" : "circle"),
      fill: dotFill,
    }),
    dot(knees, { x: "load", y: "value", r: 7.5, stroke: INK, strokeWidth: 1.5 }),
  ];
}

/** Full below saturation, pale near it, hollow past it or where nobody can tell. */
function dotFill({ standing, color }: CurvePoint): string {
  if (standing === "near") return rampColor(color, 0);
  return standing === "past" || standing === "tooShort" ? "var(--page)" : color;
}

/** Each curve's name beside its last point. */
function nameMarks(points: readonly (readonly CurvePoint[])[], scale: LatencyScale, heightPx: number): Markish[] {
  const ends = points.flatMap((own) => own.at(-1) ?? []);
  const wantedPx = ends.map(({ value }) => heightPx * (1 - scale.position(value)));
  const placesPx = labelPlaces(wantedPx, LABEL_GAP_PX, 0, heightPx);
  return ends.map((end, i) =>
    text([end], {
      x: "load",
      y: "value",
      text: () => end.curve.name,
      textAnchor: "start",
      dx: 10,
      dy: placesPx[i]! - wantedPx[i]!,
      fill: end.color,
      fontWeight: 600,
      ...HALO,
    }),
  );
}

function tipText(
  { curve, load, value, low, high, hasInterval, standing }: CurvePoint,
  plot: LoadPlot,
  unit: Data["unit"],
) {
  const print = (number: number) => printValue(plot.quantity, number);
  return [
    ...(curve.name === "" ? [] : [curve.name]),
    `${loadWords(load, unit)}${STANDING_NAMES[standing] === null ? "" : `, ${STANDING_NAMES[standing]}`}`,
    `${plot.title} ${print(value)}`,
    ...(hasInterval ? [`95 % interval ${print(Math.max(0, low))} to ${print(high)}`] : []),
  ].join("\n");
}
