import type { ConfigDifference } from "../core/config/compareConfigs.js";
import { type ConfigDefaults, nullWords } from "../io/engineDefaults.js";
import { columnsOf, textTable } from "./textTable.js";

/** Characters of a value that fit a table: more is a list or a description. */
const MAX_CHARACTERS = 60;

/** What null stands for on either side. */
export interface BothDefaults {
  readonly a: ConfigDefaults;
  readonly b: ConfigDefaults;
}

/** The keys in which two configs differ; nothing where there is none. @param title of the keys' column */
export function configChangeTable(
  config: readonly ConfigDifference[],
  defaults: BothDefaults,
  title = "config key",
): string {
  if (config.length === 0) return "";
  const rows = config.map(({ path, before, after }) => [
    path,
    printValue(path, before, defaults.a),
    printValue(path, after, defaults.b),
  ]);
  return textTable(columnsOf(title, "A", "B"), rows);
}

/** A value of a config on one short line; a dash where there is none. */
function printValue(path: string, value: unknown, defaults: ConfigDefaults): string {
  if (value === undefined) return "–";
  if (value === null) return nullWords(path, defaults);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS - 1)}…` : text;
}
