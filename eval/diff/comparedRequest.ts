import type { ComparedRequest } from "../../src/core/analysis/diff/comparedRun.js";
import type { RequestRecord } from "../../src/core/metrics/requestRecord.js";
import { e2eMs, interTokenMs, ttftMs } from "../../src/core/metrics/runMetrics.js";
import { US_PER_MS } from "../../src/core/units/units.js";

/** A simulated request as `roofserve diff` takes it from the files of a run. */
export function comparedRequest(record: RequestRecord, maxTokens: number): ComparedRequest {
  const prefillMs = (record.firstTokenUs - record.firstScheduledUs) / US_PER_MS;
  return {
    id: record.id,
    status: record.status,
    arrivalUs: record.arrivalUs,
    numPromptTokens: record.numPromptTokens,
    maxTokens,
    waitingMs: ttftMs(record) - prefillMs,
    prefillMs,
    decodeMs: e2eMs(record) - ttftMs(record),
    interTokenMs: interTokenMs(record),
  };
}
