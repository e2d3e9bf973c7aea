import type { ConfigDifference } from "../core/config/compareConfigs.js";
import { columnsOf, textTable } from "./textTable.js";

/** Characters of a value that fit a table: more is a list or a description. */
const MAX_CHARACTERS = 60;

/** The keys in which two configs differ; nothing where there is none. @param title of the keys' column */
export function configChangeTable(config: readonly ConfigDifference[], title = "config key"): string {
  if (config.length === 0) return "";
  const rows = config.map(({ path, before, after }) => [path, printValue(before), printValue(after)]);
  return textTable(columnsOf(title, "A", "B"), rows);
}

/** A value of a config on one short line; a dash where there is none. */
function printValue(value: unknown): string {
  const text = value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value);
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS - 1)}…` : text;
}
