import { csvRecords } from "./csvRecords.js";
import { MAX_TIME_S } from "./traceRecord.js";
import { publishedLengths, type TraceRow, type TraceTally } from "./traceRow.js";

export const BURST_GPT_COLUMNS = ["Timestamp", "Request tokens", "Response tokens"] as const;

/**
 * BurstGPT, both layouts: columns are found by name, because later files put session and elapsed time before the model.
 * The elapsed time is what another service took, so it is not read.
 */
export function* burstGptRows(file: string, tally: TraceTally): Generator<TraceRow> {
  for (const record of csvRecords(file, BURST_GPT_COLUMNS)) {
    tally.numRows++;
    const arrivalUs = Math.round(record.number("Timestamp", 0, MAX_TIME_S, "seconds") * 1e6);
    const lengths = publishedLengths(record, "Request tokens", "Response tokens", tally);
    if (lengths === null) continue;
    const session = record.has("Session ID") ? { sessionId: record.text("Session ID") } : {};
    yield { row: record.row, arrivalUs, ...lengths, ...session };
  }
}
