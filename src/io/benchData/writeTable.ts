import { renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolders } from "../results/outputFolder.js";

/** Cells of one table; numbers are written in full precision unless given as text. */
export interface TableText {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** Writes a CSV table, whole or not at all; folders are created. No cell may need quotes. */
export function writeTable(file: string, table: TableText): void {
  makeFolders(dirname(file));
  const lines = [table.columns.join(","), ...table.rows.map((row) => row.join(","))];
  const partial = `${file}.partial`;
  try {
    writeFileSync(partial, `${lines.join("\n")}\n`);
    renameSync(partial, file);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

/** µs with as many digits as a benchmark can tell, without exponent or trailing zeros. */
export function microseconds(us: number): string {
  return us >= 1000 ? String(Math.round(us * 10) / 10) : String(Number(us.toPrecision(5)));
}
