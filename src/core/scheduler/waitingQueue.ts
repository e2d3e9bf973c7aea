import { Deque, PriorityQueue } from "js-sdsl";
import type { Request } from "../request/request.js";

/** Requests that wait for admission, in the order they will be tried. */
export interface WaitingQueue {
  readonly length: number;
  /** The next to be tried; undefined when empty. */
  front(): Request | undefined;
  popFront(): Request | undefined;
  /** A request arrives. */
  add(request: Request): void;
  /** A request returns: preempted, or set aside during a pass. Goes before all others if the policy has no order. */
  putBack(request: Request): void;
  /** O(length). @returns whether it was here */
  remove(request: Request): boolean;
  /** All requests in the order they will be tried; allocates, for inspection only. */
  toArray(): Request[];
}

/** First come first served; who returns goes to the very front. */
export class FcfsQueue implements WaitingQueue {
  readonly #deque = new Deque<Request>();

  get length(): number {
    return this.#deque.size();
  }

  front(): Request | undefined {
    return this.#deque.front();
  }

  popFront(): Request | undefined {
    return this.#deque.popFront();
  }

  add(request: Request): void {
    this.#deque.pushBack(request);
  }

  putBack(request: Request): void {
    this.#deque.pushFront(request);
  }

  remove(request: Request): boolean {
    const lengthBefore = this.#deque.size();
    return this.#deque.eraseElementByValue(request) < lengthBefore;
  }

  toArray(): Request[] {
    return [...this.#deque];
  }
}

/** Most urgent first: by (priority, order of arrival), however a request came here. */
export class UrgencyQueue implements WaitingQueue {
  readonly #heap = new PriorityQueue<Request>([], byUrgency);

  get length(): number {
    return this.#heap.size();
  }

  front(): Request | undefined {
    return this.#heap.top();
  }

  popFront(): Request | undefined {
    return this.#heap.pop();
  }

  add(request: Request): void {
    this.#heap.push(request);
  }

  putBack(request: Request): void {
    this.#heap.push(request);
  }

  remove(request: Request): boolean {
    return this.#heap.remove(request);
  }

  toArray(): Request[] {
    return this.#heap.toArray().sort(byUrgency);
  }
}

/** Total order of urgency, most urgent first: the order of arrival leaves no ties. */
export function byUrgency(a: Request, b: Request): number {
  return a.priority - b.priority || a.arrivalSequence - b.arrivalSequence;
}
