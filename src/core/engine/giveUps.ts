import { EventQueue, type SimulationEvent } from "../des/eventQueue.js";
import type { Request } from "../request/request.js";

/** A client gives its request up, if it is still waiting for it. */
interface GiveUp extends SimulationEvent {
  readonly request: Request;
}

/** Fewer are not worth a look at all of them. */
const LEAST_TO_DROP = 16;

/**
 * When clients lose patience, soonest first; ties in the order of sending. Most requests end long before: those are dropped
 * when they are half of all, so that what is kept follows the requests in flight, whatever the patience.
 */
export class GiveUps {
  readonly #queue = new EventQueue<GiveUp>();
  /** Of those in the queue, the ones whose request has ended. */
  #numEnded = 0;

  /** Kept, ended requests among them. */
  get length(): number {
    return this.#queue.length;
  }

  /** A request was sent whose client waits for it so long and no longer. */
  add(request: Request): void {
    const { arrivalUs, timeoutUs } = request.spec;
    if (Number.isFinite(timeoutUs)) this.#queue.push({ timeUs: arrivalUs + timeoutUs, priority: 0, request });
  }

  /** When the next one happens, ended requests included; Infinity without one. */
  peekTimeUs(): number {
    return this.#queue.peekTimeUs();
  }

  /** Takes the next one; its request may have ended. */
  pop(): Request {
    const { request } = this.#queue.pop()!;
    if (request.hasEnded) this.#numEnded--;
    return request;
  }

  /** Forgets those next in time whose request has ended. */
  dropEndedFirst(): void {
    while (this.#queue.peek()?.request.hasEnded) this.pop();
  }

  /** A request has ended that was not taken out here. @returns whether that changes when the next one happens */
  onEnd(request: Request): boolean {
    if (!Number.isFinite(request.spec.timeoutUs)) return false;
    this.#numEnded++;
    if (this.#numEnded < LEAST_TO_DROP || 2 * this.#numEnded < this.#queue.length) return false;
    this.#queue.keepOnly(({ request: other }) => !other.hasEnded);
    this.#numEnded = 0;
    return true;
  }
}
