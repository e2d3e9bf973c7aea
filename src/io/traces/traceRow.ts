import type { TokenSegment } from "../../core/request/requestSpec.js";
import type { TraceRecord } from "./traceRecord.js";

/** A request as a trace format tells it, before arrivals are shifted and sorted. */
export interface TraceRow {
  /** Where it stands in the file, from 1. */
  readonly row: number;
  /** Integer µs from an origin of the format's own. */
  readonly arrivalUs: number;
  readonly numPromptTokens: number;
  readonly maxTokens: number;
  /** What the whole prompt consists of; absent = the prefix, if any, then tokens that occur nowhere else. */
  readonly promptSegments?: readonly TokenSegment[];
  readonly prefix?: TokenSegment;
  /** Identity of the output; absent = its own. */
  readonly outputContentId?: number;
  /** Absent = numbered. */
  readonly id?: string;
  readonly sessionId?: string;
  readonly priority?: number;
  readonly lora?: string;
  readonly timeoutUs?: number;
}

/** What a reader tells beside its rows. */
export class TraceTally {
  numRows = 0;
  readonly #dropped = new Map<string, number>();
  readonly #warnings = new Set<string>();

  get numDropped(): number {
    let sum = 0;
    for (const count of this.#dropped.values()) sum += count;
    return sum;
  }

  /** Counts a row that is left out, and why. */
  drop(reason: string): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  /** Notes something the user should know; the same text once. */
  warn(text: string): void {
    this.#warnings.add(text);
  }

  warnings(): string[] {
    const drops = [...this.#dropped].map(([reason, count]) => `${count} of ${this.numRows} rows dropped: ${reason}`);
    return [...this.#warnings, ...drops];
  }
}

/**
 * Reads prompt and output lengths, or counts the row as dropped where one of them is 0: published traces write
 * failed requests so.
 * @returns null for a dropped row
 */
export function publishedLengths(
  record: TraceRecord,
  promptColumn: string,
  outputColumn: string,
  tally: TraceTally,
): { numPromptTokens: number; maxTokens: number } | null {
  const numPromptTokens = record.tokens(promptColumn, 0);
  const maxTokens = record.tokens(outputColumn, 0);
  if (maxTokens === 0) tally.drop("no output tokens (failed requests)");
  else if (numPromptTokens === 0) tally.drop("no prompt tokens");
  else return { numPromptTokens, maxTokens };
  return null;
}
