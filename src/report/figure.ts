import { type PlotOptions, plot } from "@observablehq/plot";
import { foldedTable, type TableData } from "./dataTable.js";
import { element } from "./element.js";
import { type KeyEntry, keyOf } from "./key.js";

/** One plot of a figure, drawn anew for each width. */
export interface Panel {
  /** What it shows, with its numbers, for those who do not see it. */
  readonly label: string;
  readonly heading?: string;
  /** Its colours, beside the heading. */
  readonly key?: readonly KeyEntry[];
  readonly draw: (widthPx: number) => PlotOptions;
}

/** Plots with a caption that says what they show, and their numbers as a table. */
export interface FigureOptions {
  readonly panels: readonly Panel[];
  /** Beside each other where there is room, in columns of half or a third of the page; or below each other. */
  readonly layout: "halves" | "thirds" | "stack";
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

function panelElement({ label, heading, key, draw }: Panel): HTMLElement {
  const canvas = element("div", { class: "plot-canvas" });
  const title = heading === undefined ? null : element("h3", {}, heading);
  const colors = key === undefined ? null : keyOf(key);
  const panel = element("div", { class: "panel" }, element("div", { class: "panel-head" }, title, colors), canvas);
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
