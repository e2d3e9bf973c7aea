import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { printValue } from "../../core/config/parseConfig.js";
import { DataFileError } from "../../core/errors/simulationError.js";
import { TraceRecord } from "./traceRecord.js";

/**
 * Streams a file of one JSON object per line, whatever its length; blank lines are skipped.
 * @throws DataFileError for a line that is no JSON object
 */
export async function* jsonlRecords(file: string): AsyncGenerator<TraceRecord> {
  const input = createReadStream(file, "utf8");
  let row = 0;
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      row++;
      const text = (row === 1 ? line.replace(/^\uFEFF/, "") : line).trim();
      if (text !== "") yield new TraceRecord(file, row, parseObject(file, row, text));
    }
  } finally {
    input.destroy();
  }
}

function parseObject(file: string, row: number, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const problem = `is not valid JSON (${(error as Error).message}); each line must be one object; is the file truncated?`;
    throw new DataFileError({ file, row }, problem);
  }
  if (value !== null && typeof value === "object" && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new DataFileError({ file, row }, `got ${printValue(value)}; each line must be one JSON object`);
}
