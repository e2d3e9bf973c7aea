import { readdirSync } from "node:fs";
import { join } from "node:path";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";

export type TableRow = Readonly<Record<string, number | string>>;

/** Reads one table of an aiconfigurator checkout; 64-bit integers become numbers. Order as in the file. */
export async function readTable(root: string, path: string): Promise<TableRow[]> {
  const file = await asyncBufferFromFile(join(root, "systems/data", path));
  const rows = await parquetReadObjects({ file, compressors });
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([key, value]) => [key, typeof value === "bigint" ? Number(value) : value]),
    ),
  );
}

/** Versions of a table family, oldest first. */
export function tableVersions(root: string, system: string, family: string, framework: string): string[] {
  return readdirSync(join(root, "systems/data", system, family, framework))
    .filter((name) => /^\d/.test(name))
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

/** The row's number in a column. @throws Error if it is missing */
export function numberIn(row: TableRow, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw new Error(`column ${column}: expected a number, got ${String(value)}`);
  return value;
}
