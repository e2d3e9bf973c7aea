/**
 * Counts marked positions below a given one: a Fenwick tree over positions 0 … capacity − 1. All operations are
 * O(log capacity).
 */
export class OrderIndex {
  readonly capacity: number;
  readonly #sums: Int32Array;

  /** @param capacity positions to make room for, a power of two */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#sums = new Int32Array(capacity + 1);
  }

  /** Marks a position (`change` 1) or takes its mark away (−1). */
  change(position: number, change: 1 | -1): void {
    const sums = this.#sums;
    for (let i = position + 1; i <= this.capacity; i += i & -i) sums[i]! += change;
  }

  /** Marked positions below `position`. */
  countBelow(position: number): number {
    const sums = this.#sums;
    let count = 0;
    for (let i = position; i > 0; i -= i & -i) count += sums[i]!;
    return count;
  }

  clear(): void {
    this.#sums.fill(0);
  }
}
