import { groupRows } from "../core/kernels/tables/tableReading.js";
import type { CollectedImport, ImportedTable } from "../io/benchData/importCollected.js";
import type { ModelCoverage, TableCoverage } from "../io/benchData/tableCoverage.js";
import { columnsOf, textTable } from "./textTable.js";

/** Rows of one table listed by line before the rest is only counted. */
const MAX_LINES_SHOWN = 12;
/** Models named in one list before the rest is only counted; JSON has them all. */
const MAX_MODELS_SHOWN = 6;

/** What an import took and left, which models that covers, and how to go back; ends with a newline. */
export function importedTables({ out, gpus, tables, sha256, former, isUnchanged, coverage }: CollectedImport): string {
  const rows = [...groupRows(tables, ({ gpu, family }) => `${gpu} ${family}`).values()].map((family) => [
    family[0]!.gpu,
    family[0]!.family,
    String(family.length),
    String(sum(family, ({ numRows }) => numRows)),
    String(sum(family, ({ leftOut }) => leftOut.length)),
  ]);
  const lines = tables.flatMap(leftOutLines);
  const verdict = isUnchanged ? "unchanged, the same tables were there already" : "in place";
  return [
    textTable(columnsOf("gpu", "family", "files#", "rows#", "left out#"), rows),
    ...(lines.length === 0 ? [] : ["left out, by line of the source:\n", ...lines]),
    ...coverage.map(coverageLines),
    `${out}: ${sum(tables, ({ numRows }) => numRows)} rows of ${gpus.join(", ")}, tables of SHA-256 ${sha256}: ${verdict}\n`,
    former === null ? "" : `its former tables are in ${former}; to go back, move that folder to ${out}\n`,
  ].join("");
}

function sum(tables: readonly ImportedTable[], of: (table: ImportedTable) => number): number {
  return tables.reduce((total, table) => total + of(table), 0);
}

function leftOutLines({ path, leftOut }: ImportedTable): string[] {
  return [...groupRows(leftOut, ({ reason }) => reason)].map(([reason, rows]) => {
    const shown = rows.slice(0, MAX_LINES_SHOWN).map(({ row }) => row);
    const more = rows.length > MAX_LINES_SHOWN ? ` and ${rows.length - MAX_LINES_SHOWN} more` : "";
    const [{ row, contradictedRow } = { row: 0, contradictedRow: null }] = rows;
    const example = contradictedRow === null ? "" : `; row ${row} contradicts row ${contradictedRow} most`;
    return `  ${path}: ${reason}: ${shown.join(", ")}${more}${example}\n`;
  });
}

/** `covered on H200: 21 of 26 built-in models …`, with those that are not, and kinds of kernels without a row. */
function coverageLines({ gpu, models, without }: TableCoverage): string {
  const covered = models.filter(({ missingSizes }) => missingSizes.length === 0);
  const partly = models.filter(({ coveredSizes, missingSizes }) => coveredSizes.length > 0 && missingSizes.length > 0);
  const not = models.filter(({ coveredSizes }) => coveredSizes.length === 0);
  const some = (list: readonly ModelCoverage[], show: (model: ModelCoverage) => string) => {
    const more = list.length > MAX_MODELS_SHOWN ? ` and ${list.length - MAX_MODELS_SHOWN} more` : "";
    return `${list.slice(0, MAX_MODELS_SHOWN).map(show).join(", ")}${more}`;
  };
  const numOf = `${covered.length} of ${models.length} built-in models have rows for every 16-bit kernel, TP 1 to 8`;
  return [
    `covered on ${gpu}: ${numOf}`,
    partly.length === 0
      ? ""
      : `; in part: ${some(partly, (model) => `${model.id} (TP ${model.coveredSizes.join(", ")})`)}`,
    not.length === 0 ? "" : `; not: ${some(not, ({ id }) => id)}`,
    without.length === 0 ? "" : `; nothing for ${without.join(", ")}`,
    "\n",
  ].join("");
}
