import { element } from "./element.js";

/** What a colour stands for, where the picture has no room to say it. */
export interface KeyEntry {
  readonly name: string;
  readonly color: string;
  /** A dot of a plot in place of a square: full, pale, hollow, a hollow diamond, or with a ring about it. */
  readonly mark?: "full" | "pale" | "hollow" | "diamond" | "ring";
}

export function keyOf(entries: readonly KeyEntry[]): HTMLElement {
  return element(
    "ul",
    { class: "key", "aria-label": "Colours" },
    ...entries.map(({ name, color, mark = "" }) => {
      const swatch = element("span", { class: `swatch ${mark}`.trim(), "aria-hidden": "true" });
      swatch.style.setProperty("--color", color);
      return element("li", {}, swatch, name);
    }),
  );
}
