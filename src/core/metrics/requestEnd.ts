import type { RequestSpec } from "../request/requestSpec.js";
import type { RequestRecord } from "./requestRecord.js";

/** When the client was done with the request, µs; NaN when it never was. */
export function endUs(record: RequestRecord, spec: RequestSpec | null): number {
  switch (record.status) {
    case "completed":
      return record.lastTokenUs;
    case "rejected":
      return record.arrivalUs;
    case "aborted":
      return spec === null || !Number.isFinite(spec.timeoutUs) ? record.lastTokenUs : record.arrivalUs + spec.timeoutUs;
    case "unfinished":
      return Number.NaN;
  }
}
