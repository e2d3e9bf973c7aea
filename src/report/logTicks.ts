/** Digits of the ticks of one decade, from many to few. */
const LADDERS: readonly (readonly number[])[] = [
  [1, 1.5, 2, 3, 4, 5, 6, 8],
  [1, 2, 3, 5],
  [1, 2, 5],
  [1, 3],
];

/**
 * Round numbers between the ends of a logarithmic axis: as many as there is room for, on the finest ladder that fits.
 * @param domain both > 0, ascending
 * @param maxTicks labels that there is room for, if they stood evenly
 */
export function logTicks([low, high]: readonly [number, number], maxTicks: number): number[] {
  const leastRatio = (high / low) ** (1 / Math.max(1, maxTicks));
  const first = Math.floor(Math.log10(low));
  const decades = Array.from({ length: Math.floor(Math.log10(high)) - first + 1 }, (_, i) => first + i);
  const ticksOf = (digits: readonly number[], stride: number): number[] =>
    decades
      .filter((_, i) => i % stride === 0)
      .flatMap((exponent) => digits.map((digit) => Number(`${digit}e${exponent}`)))
      .filter((tick) => tick >= low && tick <= high);
  for (const digits of LADDERS) {
    const ticks = ticksOf(digits, 1);
    if (ticks.every((tick, i) => i === 0 || tick >= ticks[i - 1]! * leastRatio)) return ticks;
  }
  return ticksOf([1], Math.ceil(Math.log10(leastRatio)));
}
