import { csvRecords } from "./csvRecords.js";
import type { TraceRecord } from "./traceRecord.js";
import { publishedLengths, type TraceRow, type TraceTally } from "./traceRow.js";

export const AZURE_COLUMNS = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"] as const;

const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:(Z)|([+-])(\d\d):?(\d\d))?$/;

/** Azure LLM inference traces, 2023 (local time, seven digits) and 2024 (six digits and an offset). */
export function* azureRows(file: string, tally: TraceTally): Generator<TraceRow> {
  for (const record of csvRecords(file, AZURE_COLUMNS)) {
    tally.numRows++;
    const arrivalUs = timestampUs(record, "TIMESTAMP");
    const lengths = publishedLengths(record, "ContextTokens", "GeneratedTokens", tally);
    if (lengths !== null) yield { row: record.row, arrivalUs, ...lengths };
  }
}

/** µs since 1970, read digit by digit: Date keeps milliseconds only. A time without offset counts as UTC. */
function timestampUs(record: TraceRecord, column: string): number {
  const text = String(record.raw(column) ?? "");
  const parts = TIMESTAMP.exec(text);
  const expected = "must be a time such as 2023-11-16 18:17:03.9799600 or 2024-05-10 00:00:00.009930+00:00";
  if (parts === null) throw record.error(column, expected);
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [number, ...number[]];
  const ms = Date.UTC(year, month! - 1, day, hour, minute, second);
  // Date.UTC turns month 13 or day 31 of a short month into another date.
  if (!new Date(ms).toISOString().startsWith(`${text.slice(0, 10)}T${text.slice(11, 19)}`)) {
    throw record.error(column, expected);
  }
  const fractionUs = Math.round(Number((parts[7] ?? "").padEnd(9, "0")) / 1000);
  const offsetMin = parts[9] === undefined ? 0 : Number(parts[10]) * 60 + Number(parts[11]);
  const offsetUs = (parts[9] === "-" ? -1 : 1) * offsetMin * 60e6;
  return ms * 1000 + fractionUs - offsetUs;
}
