import { element } from "./element.js";

/** What a colour stands for, where the picture has no room to say it. */
export interface KeyEntry {
  readonly name: string;
  readonly color: string;
}

export function keyOf(entries: readonly KeyEntry[]): HTMLElement {
  return element(
    "ul",
    { class: "key", "aria-label": "Colours" },
    ...entries.map(({ name, color }) => {
      const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
      swatch.style.setProperty("background", color);
      return element("li", {}, swatch, name);
    }),
  );
}
