import { element, section } from "../element.js";
import type { ConfigSection } from "../reportPage.js";

/** What made the page: enough to make it again. */
export function configSection({ config, says, notes }: ConfigSection): HTMLElement {
  const json = element("pre", { tabindex: "0", "aria-label": "The config as JSON" });
  json.textContent = JSON.stringify(config, null, 2);
  return section(
    "config",
    "What made this",
    element("p", {}, says),
    ...(notes.length === 0 ? [] : [element("ul", { class: "notes" }, ...notes.map((note) => element("li", {}, note)))]),
    element("details", { class: "data" }, element("summary", {}, "The config as JSON"), json),
  );
}
