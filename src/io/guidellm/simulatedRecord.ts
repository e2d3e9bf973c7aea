import type { GuidellmRecord, GuidellmStatus } from "../../core/metrics/guidellmAggregates.js";
import type { RequestRecord, RequestStatus } from "../../core/metrics/requestRecord.js";
import type { RequestSpec } from "../../core/request/requestSpec.js";
import { US_PER_S } from "../../core/units/units.js";

/** Unix time of the start of every simulated run, µs: any fixed instant keeps files reproducible. */
const EPOCH_US = 1_700_000_000 * US_PER_S;

/** From the last token to the end of the stream (usage block, `[DONE]`), µs: real files average 200–1,100. */
const STREAM_CLOSE_US = 400;

/** Chunks of a stream that carry no token: the usage block and `[DONE]`. */
const NUM_EXTRA_CHUNKS = 2;

const STATUSES: Readonly<Record<RequestStatus, GuidellmStatus>> = {
  completed: "successful",
  rejected: "errored",
  aborted: "errored",
  unfinished: "incomplete",
};

/** A time of the run as Unix seconds; NaN stays NaN. */
export function simulatedTimeS(timeUs: number): number {
  return (EPOCH_US + timeUs) / US_PER_S;
}

/** A simulated request as GuideLLM would have recorded it. */
export function simulatedRecord(record: RequestRecord, spec: RequestSpec | null): GuidellmRecord {
  const hasTokens = record.numOutputTokens > 0;
  const resolveEndUs = endOfRequestUs(record, spec);
  return {
    requestId: record.id,
    responseId: null,
    status: STATUSES[record.status],
    requestStartS: simulatedTimeS(record.arrivalUs),
    firstTokenS: simulatedTimeS(record.firstTokenUs),
    lastTokenS: simulatedTimeS(record.lastTokenUs),
    requestEndS: record.status === "completed" ? simulatedTimeS(resolveEndUs) : Number.NaN,
    resolveEndS: simulatedTimeS(resolveEndUs),
    promptTokens: record.numPromptTokens,
    outputTokens: hasTokens ? record.numOutputTokens : null,
    tokenIterations: record.numOutputTokens,
    requestIterations: hasTokens ? record.numOutputTokens + NUM_EXTRA_CHUNKS : 0,
  };
}

function endOfRequestUs(record: RequestRecord, spec: RequestSpec | null): number {
  if (record.status === "completed") return record.lastTokenUs + STREAM_CLOSE_US;
  if (record.status === "aborted" && spec !== null && Number.isFinite(spec.timeoutUs)) {
    return record.arrivalUs + spec.timeoutUs;
  }
  return Number.isNaN(record.lastTokenUs) ? record.arrivalUs : record.lastTokenUs;
}
