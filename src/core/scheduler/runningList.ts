import type { Request } from "../request/request.js";

/**
 * Resident requests in order of admission: a list linked through the requests themselves, so that one leaves from the
 * middle in O(1).
 */
export class RunningList {
  #first: Request | null = null;
  #last: Request | null = null;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): Request | null {
    return this.#first;
  }

  /** The last admitted. */
  get last(): Request | null {
    return this.#last;
  }

  /** Appends a request that is not in the list. */
  push(request: Request): void {
    request.previousRunning = this.#last;
    if (this.#last === null) this.#first = request;
    else this.#last.nextRunning = request;
    this.#last = request;
    this.#length++;
  }

  /** Takes out a request that is in the list. */
  remove(request: Request): void {
    const { previousRunning: previous, nextRunning: next } = request;
    if (previous === null) this.#first = next;
    else previous.nextRunning = next;
    if (next === null) this.#last = previous;
    else next.previousRunning = previous;
    request.previousRunning = null;
    request.nextRunning = null;
    this.#length--;
  }

  /** Allocates; for inspection only. */
  toArray(): Request[] {
    const requests: Request[] = [];
    for (let request = this.#first; request !== null; request = request.nextRunning) requests.push(request);
    return requests;
  }
}
