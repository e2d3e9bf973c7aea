import type { CollectedImport, ImportedTable } from "../io/benchData/importCollected.js";
import { columnsOf, textTable } from "./textTable.js";

/** Rows of one table listed by line before the rest is only counted. */
const MAX_LINES_SHOWN = 12;

/** What an import took and left, and how to use it and to go back; ends with a newline. */
export function importedTables({ out, gpus, tables, sha256, former }: CollectedImport): string {
  const rows = tables.map(({ path, numRows, leftOut }) => [path, String(numRows), String(leftOut.length)]);
  const numRows = tables.reduce((sum, table) => sum + table.numRows, 0);
  const lines = tables.flatMap(leftOutLines);
  return [
    textTable(columnsOf("table", "rows#", "left out#"), rows),
    ...(lines.length === 0 ? [] : ["left out, by line:\n", ...lines]),
    `${out}: ${numRows} rows of ${gpus.join(", ")}, tables of SHA-256 ${sha256}; price with --bench-data ${out}\n`,
    former === null ? "" : `its former tables are in ${former}; to go back, move that folder to ${out}\n`,
  ].join("");
}

function leftOutLines({ path, leftOut }: ImportedTable): string[] {
  const reasons = [...new Set(leftOut.map(({ reason }) => reason))];
  return reasons.map((reason) => {
    const rows = leftOut.filter((row) => row.reason === reason).map(({ row }) => row);
    const shown = rows.slice(0, MAX_LINES_SHOWN).join(", ");
    const more = rows.length > MAX_LINES_SHOWN ? ` and ${rows.length - MAX_LINES_SHOWN} more` : "";
    return `  ${path}: ${reason}: ${shown}${more}\n`;
  });
}
