import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** One point of a line; lines of one facet share a panel. */
export interface LinePoint {
  readonly facet: string;
  readonly line: string;
  readonly x: number;
  readonly y: number;
}

/** What a picture of lines shows. */
export interface LinePicture {
  readonly title: string;
  readonly points: readonly LinePoint[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xScale: "linear" | "log";
}

const WIDTH_PX = 760;
const PANEL_PX = 150;
const MARGIN_PX = 70;

/** A panel of lines per facet, one below the other, as a stand-alone SVG file's text. */
export function lineSvg({ title, points, xLabel, yLabel, xScale }: LinePicture): string {
  const numFacets = new Set(points.map(({ facet }) => facet)).size;
  return svgText(title, {
    width: WIDTH_PX,
    height: numFacets * PANEL_PX + MARGIN_PX,
    marginLeft: 60,
    x: { type: xScale, label: xLabel, grid: true },
    y: { label: yLabel, grid: true, zero: true },
    fy: { axis: null },
    color: { legend: false, scheme: "Observable10" },
    marks: [
      Plot.frame({ stroke: "#ccc" }),
      Plot.lineY(points, { fy: "facet", x: "x", y: "y", stroke: "line" }),
      Plot.text(
        points,
        Plot.select((index: number[]) => [index[index.length >> 1] as number], {
          ...{ fy: "facet", x: "x", y: "y", z: "line", text: "line" },
          ...{ fill: "line", stroke: "white", dy: -7 },
        }),
      ),
      Plot.text(
        points,
        Plot.selectFirst({
          fy: "facet",
          z: "facet",
          text: "facet",
          frameAnchor: "top-left",
          dx: 6,
          dy: 5,
          fontWeight: "bold",
        }),
      ),
    ],
  });
}

/** One bar; its colour tells its group. */
export interface Bar {
  readonly group: string;
  readonly label: string;
  readonly value: number;
}

const BAR_PX = 22;

/** Horizontal bars with their values, in the order given. */
export function barSvg(title: string, bars: readonly Bar[], valueLabel: string): string {
  return svgText(title, {
    width: WIDTH_PX,
    height: bars.length * BAR_PX + MARGIN_PX,
    marginLeft: 150,
    marginRight: 50,
    x: { label: valueLabel, grid: true },
    y: { label: null, domain: bars.map(({ label }) => label) },
    color: { scheme: "Observable10" },
    marks: [
      Plot.barX(bars, { y: "label", x: "value", fill: "group" }),
      Plot.text(bars, {
        y: "label",
        x: "value",
        text: ({ value }: Bar) => value.toFixed(1),
        textAnchor: "start",
        dx: 4,
      }),
      Plot.ruleX([0]),
    ],
  });
}

/** Draws without a browser; white behind it, so that it reads on dark pages too. */
function svgText(title: string, options: Plot.PlotOptions): string {
  const { document } = parseHTML("<html></html>");
  const drawn = Plot.plot({
    ...options,
    document: document as never,
    style: { background: "white", color: "#222" },
  });
  const named = drawn.outerHTML.replace(
    /^(<svg )([^>]*>)/,
    `$1xmlns="http://www.w3.org/2000/svg" role="img" $2<title>${title}</title>`,
  );
  return `${named}\n`;
}
