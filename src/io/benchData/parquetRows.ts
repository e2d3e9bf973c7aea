import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { DataFileError } from "../../core/errors/simulationError.js";

/** One row of a parquet file; integers beyond 32 bits arrive as bigint. */
export type ParquetRow = Readonly<Record<string, unknown>>;

/**
 * Reads some columns of a parquet file.
 * @throws DataFileError when it is no parquet file, or lacks a column
 */
export async function readParquet(
  file: string,
  columns: readonly string[],
  optional: readonly string[] = [],
): Promise<ParquetRow[]> {
  try {
    const buffer = await asyncBufferFromFile(file);
    const metadata = await parquetMetadataAsync(buffer);
    const present = parquetSchema(metadata).children.map(({ element }) => element.name);
    const missing = columns.find((column) => !present.includes(column));
    if (missing !== undefined) {
      throw new DataFileError({ file, column: missing }, `the column is missing; found ${present.join(", ")}`);
    }
    const wanted = [...columns, ...optional.filter((column) => present.includes(column))];
    return await parquetReadObjects({ file: buffer, metadata, compressors, columns: wanted });
  } catch (error) {
    if (error instanceof DataFileError) throw error;
    throw new DataFileError(
      { file },
      `cannot be read as parquet: ${(error as Error).message}; is it a Git LFS pointer?`,
    );
  }
}

/** A cell as a finite number; NaN where it is none. */
export function numberCell(row: ParquetRow, column: string): number {
  const value = row[column];
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : Number.NaN;
}

/** A cell as text; empty where it is none. */
export function textCell(row: ParquetRow, column: string): string {
  const value = row[column];
  return typeof value === "string" ? value : "";
}
