import { element } from "./element.js";

/** A headline number. */
export interface Tile {
  readonly name: string;
  /** The name in words. */
  readonly title: string;
  /** Gives it its colour. */
  readonly metric: "ttft" | "itl" | "e2e" | "throughput" | "memory";
  readonly value: string;
  /** What the value is of: `median`, `tokens/s`. */
  readonly unit: string;
  readonly details: readonly string[];
}

export function tileGrid(tiles: readonly Tile[]): HTMLElement {
  return element(
    "dl",
    { class: "tiles" },
    ...tiles.map(({ name, title, metric, value, unit, details }) =>
      element(
        "div",
        { class: `tile ${metric}` },
        element("dt", { title }, name, element("span", { class: "visually-hidden" }, `, ${title}`)),
        element("dd", { class: "value" }, value, " ", element("span", { class: "unit" }, unit)),
        ...details.map((detail) => element("dd", { class: "detail" }, detail)),
      ),
    ),
  );
}
