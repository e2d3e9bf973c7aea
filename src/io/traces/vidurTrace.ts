import { csvRecords } from "./csvRecords.js";
import { MAX_TIME_S } from "./traceRecord.js";
import { publishedLengths, type TraceRow, type TraceTally } from "./traceRow.js";

export const VIDUR_COLUMNS = ["arrived_at", "num_prefill_tokens", "num_decode_tokens"] as const;

/** Traces as Vidur writes them; its Splitwise files are the Azure 2023 traces counted from their first request. */
export function* vidurRows(file: string, tally: TraceTally): Generator<TraceRow> {
  for (const record of csvRecords(file, VIDUR_COLUMNS)) {
    tally.numRows++;
    const arrivalUs = Math.round(record.number("arrived_at", 0, MAX_TIME_S, "seconds") * 1e6);
    const lengths = publishedLengths(record, "num_prefill_tokens", "num_decode_tokens", tally);
    if (lengths !== null) yield { row: record.row, arrivalUs, ...lengths };
  }
}
