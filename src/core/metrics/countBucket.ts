/** Counts from `from` to `to`, both included. */
export interface CountBucket {
  readonly from: number;
  readonly to: number;
}

/**
 * The bucket of a count: 0, 1, 2–4, 5–8, 9–16, …, each ending at a power of two; together they hold every count once.
 * @param count integer ≥ 0
 */
export function countBucket(count: number): CountBucket {
  if (count <= 1) return { from: count, to: count };
  const to = Math.max(4, 2 ** Math.ceil(Math.log2(count)));
  return { from: to === 4 ? 2 : to / 2 + 1, to };
}

/** `5–8`. */
export function bucketLabel({ from, to }: CountBucket): string {
  return from === to ? String(from) : `${from}–${to}`;
}
