import type { RequestRecord } from "../metrics/requestRecord.js";
import type { RequestSpec } from "../request/requestSpec.js";
import type { RequestSink } from "./runResult.js";

/** Keeps all requests of a run: about 700 bytes each. */
export class KeptRequests implements RequestSink {
  /** In order of submission. */
  readonly records: RequestRecord[] = [];
  /** Parallel to `records`: what was asked. */
  readonly specs: RequestSpec[] = [];

  add(record: RequestRecord, spec: RequestSpec): void {
    this.records.push(record);
    this.specs.push(spec);
  }
}

/** Several sinks as one, given each request in their order. */
export function giveToAll(sinks: readonly RequestSink[]): RequestSink {
  return {
    add(record, spec) {
      for (const sink of sinks) sink.add(record, spec);
    },
  };
}
