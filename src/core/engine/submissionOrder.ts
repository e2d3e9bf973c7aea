import { Deque } from "js-sdsl";
import type { RequestRecord } from "../metrics/requestRecord.js";
import type { RequestSpec } from "../request/requestSpec.js";
import type { RequestSink } from "./runResult.js";

interface EndedRequest {
  readonly record: RequestRecord;
  readonly spec: RequestSpec;
}

/**
 * Hands ended requests on in the order in which they were submitted. Holds those that ended before an earlier one did:
 * as many as were submitted while the oldest request in flight was served, whatever the length of the run.
 */
export class SubmissionOrder {
  readonly #sink: RequestSink;
  /** From the oldest request that has not been handed on; null until it has ended. */
  readonly #held = new Deque<EndedRequest | null>();
  #numHandedOn = 0;

  constructor(sink: RequestSink) {
    this.#sink = sink;
  }

  /** @param sequence place in the order of submission, from 0; each once */
  end(sequence: number, record: RequestRecord, spec: RequestSpec): void {
    const held = this.#held;
    const place = sequence - this.#numHandedOn;
    if (place === 0 && held.empty()) {
      this.#numHandedOn++;
      this.#sink.add(record, spec);
      return;
    }
    while (held.length <= place) held.pushBack(null);
    held.setElementByPos(place, { record, spec });
    for (let first = held.front(); first; first = held.front()) {
      held.popFront();
      this.#numHandedOn++;
      this.#sink.add(first.record, first.spec);
    }
  }
}
