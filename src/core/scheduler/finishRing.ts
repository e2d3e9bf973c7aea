import type { Request } from "../request/request.js";

/** Ticks ahead there is room for at first; it doubles when an output is longer. */
const FIRST_SLOTS = 1024;

/** Members of the lockstep by the tick of their last row: a list per tick, linked through the requests. */
export class FinishRing {
  /** Head of the list of tick t at t mod length, a power of two. */
  #heads: (Request | null)[] = new Array<Request | null>(FIRST_SLOTS).fill(null);

  /** The first whose last row is at this tick, a list by `nextFinishing`; null = nobody. */
  first(tick: number): Request | null {
    return this.#heads[tick & (this.#heads.length - 1)]!;
  }

  /** Adds a member by its `lastTick`. @param numTicks from now to its last, ≥ 1 */
  add(request: Request, numTicks: number): void {
    if (numTicks > this.#heads.length) this.#grow(numTicks);
    const slot = request.lastTick & (this.#heads.length - 1);
    request.nextFinishing = this.#heads[slot]!;
    this.#heads[slot] = request;
  }

  /** Takes a member out. O(members that finish with it). */
  remove(request: Request): void {
    const slot = request.lastTick & (this.#heads.length - 1);
    let before: Request | null = null;
    for (let other = this.#heads[slot]!; other !== request; other = other.nextFinishing!) before = other;
    if (before === null) this.#heads[slot] = request.nextFinishing;
    else before.nextFinishing = request.nextFinishing;
  }

  /** Forgets those of a tick. */
  clearTick(tick: number): void {
    this.#heads[tick & (this.#heads.length - 1)] = null;
  }

  clear(): void {
    this.#heads.fill(null);
  }

  #grow(numTicks: number): void {
    let length = this.#heads.length;
    while (length < numTicks) length *= 2;
    const heads = new Array<Request | null>(length).fill(null);
    for (let head of this.#heads) {
      while (head !== null) {
        const next: Request | null = head.nextFinishing;
        const slot = head.lastTick & (length - 1);
        head.nextFinishing = heads[slot]!;
        heads[slot] = head;
        head = next;
      }
    }
    this.#heads = heads;
  }
}
