import { PriorityQueue } from "js-sdsl";

/** Something that happens at an instant of simulated time. */
export interface SimulationEvent {
  /** Integer µs from the start of the run. */
  readonly timeUs: number;
  /** Order among events of the same instant: lower first. */
  readonly priority: number;
}

interface Entry<E extends SimulationEvent> {
  readonly event: E;
  readonly sequence: number;
}

/**
 * Future events, earliest first; ties by priority, then by order of insertion.
 * The sequence number is compulsory: a binary heap alone does not keep insertion order among equals.
 */
export class EventQueue<E extends SimulationEvent> {
  #nextSequence = 0;
  #heap = new PriorityQueue<Entry<E>>([], inOrder);

  get length(): number {
    return this.#heap.size();
  }

  push(event: E): void {
    this.#heap.push({ event, sequence: this.#nextSequence++ });
  }

  /** Time of the next event, Infinity when there is none. */
  peekTimeUs(): number {
    return this.#heap.top()?.event.timeUs ?? Number.POSITIVE_INFINITY;
  }

  /** The next event, undefined when there is none. */
  peek(): E | undefined {
    return this.#heap.top()?.event;
  }

  /** Removes and returns the next event. */
  pop(): E | undefined {
    return this.#heap.pop()?.event;
  }

  /** Drops all other events. O(length). */
  keepOnly(isKept: (event: E) => boolean): void {
    const kept = this.#heap.toArray().filter(({ event }) => isKept(event));
    this.#heap = new PriorityQueue(kept, inOrder, false);
  }
}

function inOrder(a: Entry<SimulationEvent>, b: Entry<SimulationEvent>): number {
  if (a.event.timeUs !== b.event.timeUs) return a.event.timeUs - b.event.timeUs;
  if (a.event.priority !== b.event.priority) return a.event.priority - b.event.priority;
  return a.sequence - b.sequence;
}
