import type { RequestRecord, RequestStatus } from "./requestRecord.js";

/** How many requests ended in which way; the four outcomes add up to `submitted`. */
export interface RequestCounts {
  readonly submitted: number;
  readonly completed: number;
  readonly rejected: number;
  /** Given up by the client's timeout. */
  readonly aborted: number;
  /** Still waiting or running when the run stopped. */
  readonly unfinished: number;
}

/** The part of a record that the columns keep. */
export type SummarisedRecord = Pick<
  RequestRecord,
  "status" | "arrivalUs" | "firstScheduledUs" | "firstTokenUs" | "lastTokenUs" | "queueUs" | "numOutputTokens"
>;

/** Rows that are allocated at a time: a small run takes little, and a long one never copies what it has. */
const BLOCK_BITS = 12;
const BLOCK_ROWS = 1 << BLOCK_BITS;
const ROW_MASK = BLOCK_ROWS - 1;

const STATUSES = ["completed", "rejected", "aborted", "unfinished"] as const satisfies readonly RequestStatus[];

class Block {
  readonly arrivalUs = new Float64Array(BLOCK_ROWS);
  readonly firstScheduledUs = new Float64Array(BLOCK_ROWS);
  readonly firstTokenUs = new Float64Array(BLOCK_ROWS);
  readonly lastTokenUs = new Float64Array(BLOCK_ROWS);
  readonly queueUs = new Float64Array(BLOCK_ROWS);
  readonly numOutputTokens = new Uint32Array(BLOCK_ROWS);
  readonly status = new Uint8Array(BLOCK_ROWS);
}

/**
 * What a run's summary needs of its requests: 45 bytes of numbers a request, in place of a record. Exact: the columns
 * hold the records' own numbers, so that whatever is made of them has the same bits as if it were made of the records.
 * Rows are in the order in which records were added; a run adds them in order of submission.
 */
export class RecordColumns {
  readonly #blocks: Block[] = [];
  readonly #counts = { submitted: 0, completed: 0, rejected: 0, aborted: 0, unfinished: 0 };
  #firstArrivalUs = Number.POSITIVE_INFINITY;
  #lastSeenUs = Number.NEGATIVE_INFINITY;
  #promptTokens = 0;
  #cachedTokens = 0;
  #outputTokens = 0;

  static of(records: Iterable<RequestRecord>): RecordColumns {
    const columns = new RecordColumns();
    for (const record of records) columns.add(record);
    return columns;
  }

  add(record: RequestRecord): void {
    const { arrivalUs, lastTokenUs, status } = record;
    const row = this.#counts.submitted++ & ROW_MASK;
    if (row === 0) this.#blocks.push(new Block());
    const block = this.#blocks.at(-1) as Block;
    block.arrivalUs[row] = arrivalUs;
    block.firstScheduledUs[row] = record.firstScheduledUs;
    block.firstTokenUs[row] = record.firstTokenUs;
    block.lastTokenUs[row] = lastTokenUs;
    block.queueUs[row] = record.queueUs;
    block.numOutputTokens[row] = record.numOutputTokens;
    block.status[row] = STATUSES.indexOf(status);
    this.#counts[status]++;
    if (arrivalUs < this.#firstArrivalUs) this.#firstArrivalUs = arrivalUs;
    if (arrivalUs > this.#lastSeenUs) this.#lastSeenUs = arrivalUs;
    if (lastTokenUs > this.#lastSeenUs) this.#lastSeenUs = lastTokenUs;
    if (status !== "completed") return;
    this.#promptTokens += record.numPromptTokens;
    this.#cachedTokens += record.numCachedTokens;
    this.#outputTokens += record.numOutputTokens;
  }

  /** Number of rows. */
  get length(): number {
    return this.#counts.submitted;
  }

  get counts(): RequestCounts {
    return this.#counts;
  }

  /**
   * From the first arrival to the last arrival or token, µs; 0 without requests. A client that gives up later than that is
   * not waited for: the server is done by then, and a record does not say when its client's patience ended. GuideLLM's
   * window ends with the last client, and so does that of the files written for it.
   */
  get spanUs(): number {
    return this.#lastSeenUs > this.#firstArrivalUs ? this.#lastSeenUs - this.#firstArrivalUs : 0;
  }

  /** Σ over completed requests. */
  get numPromptTokens(): number {
    return this.#promptTokens;
  }

  /** Σ over completed requests. */
  get numCachedTokens(): number {
    return this.#cachedTokens;
  }

  /** Σ over completed requests. */
  get numOutputTokens(): number {
    return this.#outputTokens;
  }

  /** What is kept of a record. @param row 0 ≤ row < `length` */
  at(row: number): SummarisedRecord {
    const block = this.#blocks[row >> BLOCK_BITS]!;
    const i = row & ROW_MASK;
    return {
      status: STATUSES[block.status[i]!]!,
      arrivalUs: block.arrivalUs[i]!,
      firstScheduledUs: block.firstScheduledUs[i]!,
      firstTokenUs: block.firstTokenUs[i]!,
      lastTokenUs: block.lastTokenUs[i]!,
      queueUs: block.queueUs[i]!,
      numOutputTokens: block.numOutputTokens[i]!,
    };
  }
}
