import type { ArrivalProcess } from "./arrivals.js";

/** When the next conversation may begin. */
export interface StartSchedule {
  /** Whether the end of a conversation lets another begin. */
  readonly followsEnds: boolean;
  /** Integer µs; Infinity when none may begin before one of those under way ends. */
  peekUs(): number;
  /** Uses the start that `peekUs` tells. */
  take(): void;
  /** A conversation's last turn has ended. */
  onConversationEnd(nowUs: number): void;
}

/** Conversations begin when an arrival process says, whatever the engine does. */
export class OpenStarts implements StartSchedule {
  readonly followsEnds = false;
  readonly #nextArrivalUs: ArrivalProcess;
  #peekedUs = Number.NaN;

  constructor(arrivals: ArrivalProcess) {
    this.#nextArrivalUs = arrivals;
  }

  peekUs(): number {
    if (Number.isNaN(this.#peekedUs)) this.#peekedUs = this.#nextArrivalUs();
    return this.#peekedUs;
  }

  take(): void {
    this.#peekedUs = Number.NaN;
  }

  onConversationEnd(): void {}
}

/**
 * A fixed number of clients, each with one conversation under way: a new one begins the moment one ends.
 * The first of them start spread evenly over the ramp-up.
 */
export class ClosedStarts implements StartSchedule {
  readonly followsEnds = true;
  readonly #numStreams: number;
  readonly #rampUpUs: number;
  #numStarted = 0;
  /** Times at which streams became free, oldest first, from #nextFree on. */
  #freeUs: number[] = [];
  #nextFree = 0;

  /** @param numStreams ≥ 1; Infinity = every conversation begins at once */
  constructor(numStreams: number, rampUpUs: number) {
    this.#numStreams = numStreams;
    this.#rampUpUs = rampUpUs;
  }

  peekUs(): number {
    const firstUs = this.#firstStartUs();
    return Math.min(firstUs, this.#freeUs[this.#nextFree] ?? Number.POSITIVE_INFINITY);
  }

  take(): void {
    const freeUs = this.#freeUs[this.#nextFree];
    if (freeUs === undefined || this.#firstStartUs() <= freeUs) {
      this.#numStarted++;
      return;
    }
    this.#nextFree++;
    if (this.#nextFree === this.#freeUs.length) {
      this.#freeUs = [];
      this.#nextFree = 0;
    }
  }

  onConversationEnd(nowUs: number): void {
    if (Number.isFinite(this.#numStreams)) this.#freeUs.push(nowUs);
  }

  /** When the next stream that has not begun yet begins. */
  #firstStartUs(): number {
    if (this.#numStarted >= this.#numStreams) return Number.POSITIVE_INFINITY;
    if (!Number.isFinite(this.#numStreams)) return 0;
    return Math.round((this.#rampUpUs * this.#numStarted) / this.#numStreams);
  }
}
