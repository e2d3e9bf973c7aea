import { type PlotOptions, plot } from "@observablehq/plot";
import { foldedTable, type TableData } from "./dataTable.js";
import { element } from "./element.js";

/** One plot of a figure, drawn anew for each width. */
export interface Panel {
  /** What it shows, with its numbers, for those who do not see it. */
  readonly label: string;
  readonly heading?: string;
  readonly draw: (widthPx: number) => PlotOptions;
}

/** Plots with a caption that says what they show, and their numbers as a table. */
export interface FigureOptions {
  readonly panels: readonly Panel[];
  /** `grid`: beside each other where there is room. */
  readonly layout: "grid" | "stack";
  readonly caption: string;
  readonly table: TableData;
}

export function figure({ panels, layout, caption, table }: FigureOptions): HTMLElement {
  return element(
    "figure",
    {},
    element("div", { class: `panels ${layout}` }, ...panels.map(panelElement)),
    element("figcaption", {}, caption),
    foldedTable(table, `Numbers: ${caption}`),
  );
}

function panelElement({ label, heading, draw }: Panel): HTMLElement {
  const canvas = element("div", { class: "plot-canvas" });
  const panel = element("div", { class: "panel" }, heading === undefined ? null : element("h3", {}, heading), canvas);
  drawings.set(canvas, { label, draw });
  resizes.observe(canvas);
  return panel;
}

const drawings = new WeakMap<Element, Pick<Panel, "label" | "draw">>();

/** Draws what has a width: a plot in a closed `<details>` waits until it is opened. */
const resizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const drawing = drawings.get(target);
    const widthPx = Math.floor(contentRect.width);
    if (drawing === undefined || widthPx <= 0) continue;
    const drawn = plot({ ...drawing.draw(widthPx), width: widthPx });
    drawn.setAttribute("role", "img");
    drawn.setAttribute("aria-label", drawing.label);
    target.replaceChildren(drawn);
  }
});
