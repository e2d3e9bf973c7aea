import type { BenchDataCheck, CheckFinding, TableCheck } from "./benchDataCheck.js";

/** Files listed before the rest is only counted. */
const MAX_STRAY_SHOWN = 5;

/** The report as text: one block per table that has something to say, then a summary line; ends with a newline. */
export function formatBenchDataCheck(report: BenchDataCheck): string {
  const { tables, strayFiles } = report;
  const lines: string[] = [];
  for (const table of tables) {
    if (table.findings.length === 0) continue;
    lines.push(heading(table));
    for (const finding of table.findings) lines.push(`  ${finding.severity.padEnd(7)} ${finding.message}`);
  }
  const quiet = tables.filter(({ findings }) => findings.length === 0).length;
  if (quiet > 0) lines.push(`${plural(quiet, "table")} with nothing to remark`);
  if (strayFiles.length > 0) lines.push(`outside the layout, not looked at: ${strayText(strayFiles)}`);
  lines.push(summary(report));
  return `${lines.join("\n")}\n`;
}

function heading({ path, gpuId, gpuFolder, numRows }: TableCheck): string {
  return `${path}  (${gpuId ?? `unknown GPU ${gpuFolder}`}, ${plural(numRows, "row")})`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function strayText(files: readonly string[]): string {
  const shown = files.slice(0, MAX_STRAY_SHOWN).join(", ");
  return files.length > MAX_STRAY_SHOWN ? `${shown} and ${files.length - MAX_STRAY_SHOWN} more` : shown;
}

function summary({ dir, tables }: BenchDataCheck): string {
  if (tables.length === 0) return `${dir}: no tables; expected gemm/<gpu>/data.csv, mha/decode/<gpu>/… and the like`;
  const findings = tables.flatMap((table) => table.findings);
  const numRows = tables.reduce((sum, table) => sum + table.numRows, 0);
  const count = (severity: CheckFinding["severity"]) =>
    findings.filter((finding) => finding.severity === severity).length;
  const found = (["error", "warning", "note"] as const).map((severity) => plural(count(severity), severity));
  return `${plural(tables.length, "table")}, ${plural(numRows, "row")}: ${found.join(", ")}`;
}
