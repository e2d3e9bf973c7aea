import { printValue } from "../../core/config/parseConfig.js";
import { DataFileError } from "../../core/errors/simulationError.js";
import { textLines } from "./textLines.js";
import { TraceRecord } from "./traceRecord.js";

/** One line of a file. */
interface Line {
  /** From 1, as an editor shows it. */
  readonly row: number;
  readonly text: string;
}

/** The object on one line of a file. */
export interface JsonlObject {
  readonly row: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Streams a file of one JSON object per line as trace records. @throws DataFileError as `jsonlObjects` */
export function* jsonlRecords(file: string): Generator<TraceRecord> {
  for (const { row, fields } of jsonlObjects(file)) yield new TraceRecord(file, row, fields);
}

/**
 * Streams a file of one JSON object per line, whatever its length; blank lines are skipped.
 * @throws DataFileError for a line that is no JSON object; it says so when the last line was cut off
 */
export function* jsonlObjects(file: string): Generator<JsonlObject> {
  // One line behind, so that the last one is known to be the last.
  let held: Line | null = null;
  for (const line of filledLines(file)) {
    if (held !== null) yield { row: held.row, fields: parseObject(file, held, false) };
    held = line;
  }
  if (held !== null) yield { row: held.row, fields: parseObject(file, held, true) };
}

function* filledLines(file: string): Generator<Line> {
  let row = 0;
  for (const line of textLines(file)) {
    row++;
    const text = line.trim();
    if (text !== "") yield { row, text };
  }
}

function parseObject(file: string, { row, text }: Line, isLast: boolean): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    const problem =
      isLast && text.startsWith("{")
        ? `is not valid JSON (${message}): the last line is cut off, so the file is truncated; write or copy it again`
        : `is not valid JSON (${message}); each line must be one object; is the file truncated?`;
    throw new DataFileError({ file, row }, problem);
  }
  if (value !== null && typeof value === "object" && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new DataFileError({ file, row }, `got ${printValue(value)}; each line must be one JSON object`);
}
